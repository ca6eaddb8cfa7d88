import { asksAnswerSchema, LEFT, leaseEscrowAbi, memberCharge, requiredDeposit, signStop } from '@latent/protocol';
import {
  billLease,
  changeLease,
  checkpointLease,
  closeLease,
  finalizeLease,
  leaseHistory,
  leaveLease,
  openLease,
  planChange,
  readBalances,
  readChainTime,
  readLease,
  stopLease,
  stopLeaseFor,
} from '@latent/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HeldAgent, type HeldLease, type Money, openMoney } from './network/money.ts';
import { waitUntil } from './network/wait-until.ts';

describe('whoever vanishes, nobody is stuck', () => {
  let money: Money;
  let agents: readonly HeldAgent[];

  beforeAll(async () => {
    money = await openMoney();
    agents = [...(await money.join(2)), ...(await money.join(1, '1.90'))];
  });
  afterAll(() => money?.close());

  const agentAt = (place: number): HeldAgent => {
    const agent = agents[place];
    if (agent === undefined) throw new Error(`no agent ${place}`);
    return agent;
  };
  const pair = () => [agentAt(0), agentAt(1)];
  const row = async (lease: HeldLease) => {
    const { changed, paidUnits } = await leaseHistory(money.chain, lease.leaseId);
    return { account: money.stranger, terms: lease.terms, changed, paidUnits };
  };
  const inUse = async (agent: HeldAgent) => {
    const { deployment, public: chain } = money.chain;
    const args = [agent.agent.address] as const;
    return chain.readContract({ address: deployment.escrow, abi: leaseEscrowAbi, functionName: 'devicesInUse', args });
  };
  /** What the lease cost and gave back is the deposit to the last base unit, and no device is taken any more. */
  async function expectSettled(lease: HeldLease, units: readonly bigint[], members: readonly HeldAgent[]) {
    const { closed, paidUnits, changed } = await leaseHistory(money.chain, lease.leaseId);
    const paid = units.map((_, place) => paidUnits[place] ?? 0n);
    expect(paid).toEqual(units);
    const deposit = changed?.roster.deposit ?? lease.terms.order.deposit;
    const all = changed?.members ?? lease.terms.members;
    const charged = units.reduce((sum, one, place) => sum + memberCharge(one, all[place]?.rate ?? 0n), 0n);
    expect(closed).toEqual({ charged, refund: deposit - charged });
    for (const member of members) expect(await inUse(member)).toBe(0n);
  }

  test('NONE: an order that nobody opens costs nothing and binds nobody', async () => {
    const before = await money.dollarsOf(money.renter);
    const { leaseId } = await money.draft(pair());
    expect((await readLease(money.chain, leaseId)).state).toBe('none');
    expect(await money.dollarsOf(money.renter)).toBe(before);
    for (const agent of pair()) expect(await inUse(agent)).toBe(0n);
  });

  test('ACTIVE, the renter and its meter are gone: each member leaves alone with its pay, the last one closes', async () => {
    const lease = await money.open(pair());
    await money.pass(100);
    const voucher = await lease.voucher([60n, 80n]);
    const claim = await lease.claim(agentAt(0), 0, 60n);
    await leaveLease(money.chain, { ...(await row(lease)), voucher, claim });
    expect(await inUse(agentAt(0))).toBe(0n);
    expect(await inUse(agentAt(1))).toBe(1n);
    expect((await readLease(money.chain, lease.leaseId)).state).toBe('active');
    const last = await lease.claim(agentAt(1), 1, 75n);
    await closeLease(money.chain, { ...(await row(lease)), voucher, closes: [undefined, last] });
    await expectSettled(lease, [60n, 75n], pair());
  });

  test('ACTIVE, a member is gone: the renter stops, and after the window anybody finalizes with the last voucher', async () => {
    const lease = await money.open(pair());
    await money.pass(100);
    const voucher = await lease.voucher([60n, 80n]);
    await stopLease(money.chain, money.renter, lease.terms);
    await expect(finalizeLease(money.chain, { ...(await row(lease)), voucher })).rejects.toMatchObject({
      code: 'LEASE_NOT_SETTLED',
    });
    await money.pass(lease.terms.order.closeWindow + 1);
    await finalizeLease(money.chain, { ...(await row(lease)), voucher });
    await expectSettled(lease, [60n, 80n], pair());
  });

  test('STOPPING, the renter is gone: a member leaves at once with its pay, without waiting for the window', async () => {
    const lease = await money.open(pair());
    await money.pass(100);
    await stopLease(money.chain, money.renter, lease.terms);
    const voucher = await lease.voucher([50n, 50n]);
    for (const [place, agent] of pair().entries()) {
      const claim = await lease.claim(agent, place, 50n);
      await leaveLease(money.chain, { ...(await row(lease)), voucher, claim });
      expect(await inUse(agent)).toBe(0n);
    }
    // With everybody out, nobody's signature is missing any more.
    await closeLease(money.chain, { ...(await row(lease)), voucher: undefined, closes: [undefined, undefined] });
    await expectSettled(lease, [50n, 50n], pair());
  });

  test('STOPPING, every operator is gone: the renter alone gets the rest back after the window', async () => {
    const lease = await money.open(pair());
    const before = await money.dollarsOf(money.renter);
    await stopLease(money.chain, money.renter, lease.terms);
    await money.pass(lease.terms.order.closeWindow + 1);
    await finalizeLease(money.chain, { ...(await row(lease)), account: money.renter, voucher: undefined });
    await expectSettled(lease, [0n, 0n], pair());
    expect(await money.dollarsOf(money.renter)).toBe(before + lease.terms.order.deposit);
  });

  test('ENDED by itself, everybody is gone: a stranger with the last voucher settles it for all', async () => {
    const lease = await money.open(pair());
    const voucher = await lease.voucher([3_600n, 1_800n]);
    const { maxSeconds, closeWindow } = lease.terms.order;
    await money.pass(maxSeconds + closeWindow + 1);
    await finalizeLease(money.chain, { ...(await row(lease)), voucher });
    await expectSettled(lease, [3_600n, 1_800n], pair());
  });

  test('CLOSED is the end: the same terms are never opened, paid, left or closed again', async () => {
    const lease = await money.open(pair());
    const closes = await Promise.all(pair().map((agent, place) => lease.claim(agent, place, 0n)));
    await closeLease(money.chain, { ...(await row(lease)), voucher: undefined, closes });
    const parts = await row(lease);
    const voucher = await lease.voucher([10n, 10n]);
    const funding = { kind: 'authorization', renter: money.renter } as const;
    expect(await openLease(money.chain, { terms: lease.terms, asks: lease.asks, funding })).toBeUndefined();
    for (const again of [
      () => checkpointLease(money.chain, { ...parts, voucher }),
      () => closeLease(money.chain, { ...parts, voucher: undefined, closes }),
      () => finalizeLease(money.chain, { ...parts, voucher }),
      async () => leaveLease(money.chain, { ...parts, voucher, claim: await lease.claim(agentAt(0), 0, 1n) }),
    ]) {
      await expect(again()).rejects.toMatchObject({ code: 'LEASE_NOT_SETTLED' });
    }
    await expect(stopLease(money.chain, money.renter, lease.terms)).rejects.toMatchObject({
      details: { error: 'NotActive' },
    });
    await expectSettled(lease, [0n, 0n], pair());
  });

  test('a stop that the meter key signed is relayed by a stranger, once and in its time', async () => {
    const lease = await money.open(pair());
    const { chain, stranger } = money;
    const deadline = (await readChainTime(chain)) + 600;
    const signature = await signStop(lease.meter, chain.domain, { leaseId: lease.leaseId, deadline });
    await expect(stopLease(chain, stranger, lease.terms)).rejects.toMatchObject({ details: { error: 'MayNotStop' } });
    const forged = await signStop(stranger, chain.domain, { leaseId: lease.leaseId, deadline });
    await expect(stopLeaseFor(chain, stranger, lease.terms, { deadline, signature: forged })).rejects.toMatchObject({
      details: { error: 'BadSignature' },
    });
    await stopLeaseFor(chain, stranger, lease.terms, { deadline, signature });
    expect((await readLease(chain, lease.leaseId)).stopAt).toBeGreaterThan(0);
    await expect(stopLeaseFor(chain, stranger, lease.terms, { deadline, signature })).rejects.toMatchObject({
      details: { error: 'AlreadyStopping' },
    });
    const closes = await Promise.all(pair().map((agent, place) => lease.claim(agent, place, 0n)));
    await closeLease(chain, { ...(await row(lease)), voucher: undefined, closes });
  });

  test('a checkpoint that somebody posts in front of a close does not spoil it', async () => {
    const lease = await money.open(pair());
    await money.pass(100);
    const voucher = await lease.voucher([60n, 80n]);
    const closes = await Promise.all([lease.claim(agentAt(0), 0, 60n), lease.claim(agentAt(1), 1, 80n)]);
    const seenBefore = await row(lease);
    await checkpointLease(money.chain, { ...seenBefore, voucher });
    await closeLease(money.chain, { ...seenBefore, voucher, closes });
    await expectSettled(lease, [60n, 80n], pair());
  });

  test('nor does one that has paid ahead of the claims: what was paid stays paid', async () => {
    const lease = await money.open(pair());
    await money.pass(100);
    const voucher = await lease.voucher([60n, 80n]);
    const closes = await Promise.all([lease.claim(agentAt(0), 0, 55n), lease.claim(agentAt(1), 1, 75n)]);
    const seenBefore = await row(lease);
    await checkpointLease(money.chain, { ...seenBefore, voucher });
    await closeLease(money.chain, { ...seenBefore, voucher, closes });
    await expectSettled(lease, [60n, 80n], pair());
  });

  test('a dead member is dismissed and a successor added with no new money, and both are paid exactly', async () => {
    const { chain, renter } = money;
    const lease = await money.open(pair());
    await money.pass(600);
    const wanted = { dismissed: [1], added: [{ signed: agentAt(2).signed, devices: 1 }] };
    const plan = await planChange(chain, lease.leaseId, { ...wanted, deposit: lease.terms.order.deposit });
    expect(plan.missing).toBe(0n);
    // What the dismissed one can no longer cost pays for its successor, which is a little cheaper: for a prepay both are owed.
    expect(plan.leastDeposit).toBeLessThan(plan.deposit);
    const dollars = await money.dollarsOf(renter);
    const { changed } = await changeLease(chain, plan, { kind: 'balance', signer: renter });
    expect(await money.dollarsOf(renter)).toBe(dollars);
    expect(changed.members).toHaveLength(3);

    await money.pass(300);
    const voucher = await lease.voucher([880n, 590n, 280n]);
    // The dead one never signs: its last voucher pays it, and its place is closed with the window.
    await checkpointLease(chain, { ...(await row(lease)), voucher });
    await stopLease(chain, renter, lease.terms);
    await money.pass(lease.terms.order.closeWindow + 1);
    await finalizeLease(chain, { ...(await row(lease)), voucher });
    await expectSettled(lease, [880n, 590n, 280n], [...pair(), agentAt(2)]);
    const bill = await billLease(chain, lease.leaseId);
    expect(bill.members.map(({ deviceSeconds }) => deviceSeconds)).toEqual([880n, 590n, 280n]);
    expect(bill.charged + (bill.refund ?? 0n)).toBe(bill.deposit);
    expect((await readBalances(chain, agentAt(2).operator.address)).inEscrow).toBeGreaterThan(0n);
  });

  test('an agent that runs finds itself added to a lease, and leaves by itself once it is dismissed', async () => {
    const { chain, network, renter } = money;
    const findFree = async () => {
      const answer = await fetch(`${network.devnet.books[0]}/v1/asks?offset=0&limit=100`);
      const { asks } = asksAnswerSchema.parse(await answer.json());
      return asks.find(({ present, freeDevices }) => present && freeDevices > 0);
    };
    const { signed } = await waitUntil('the agent is on the market', findFree);
    const lease = await money.open(pair());
    const consent = { kind: 'authorization', renter } as const;
    const addition = await planChange(chain, lease.leaseId, { added: [{ signed, devices: 1 }] });
    await changeLease(chain, addition, consent);
    await waitUntil('the agent knows of the lease', async () => (await findFree()) === undefined);

    const dismissal = await planChange(chain, lease.leaseId, { dismissed: [2] });
    await changeLease(chain, dismissal, { kind: 'balance', signer: renter });
    await money.pass(lease.terms.order.prepay + 1);
    const left = await waitUntil('the agent has left', async () => {
      const { changed } = await leaseHistory(chain, lease.leaseId);
      return changed?.roster.until[2] === LEFT && changed;
    });
    expect(left.roster.until).toEqual([0, 0, LEFT]);
    await waitUntil('its machine is on the market again', findFree);
    const closes = await Promise.all(pair().map((agent, place) => lease.claim(agent, place, 0n)));
    await closeLease(chain, { ...(await row(lease)), voucher: undefined, closes: [...closes, undefined] });
    await expectSettled(lease, [0n, 0n, 0n], pair());
  });

  test('the contract takes the deposit that was computed for a change, and not one base unit less', async () => {
    const { chain, renter } = money;
    const lease = await money.open(pair());
    await money.pass(100);
    const asks = lease.asks;
    const longer = await planChange(chain, lease.leaseId, { maxSeconds: 7_200, asks });
    expect(longer.change.deposit).toBe(requiredDeposit(lease.terms.members, 7_200));
    const tooLittle = { ...longer, change: { ...longer.change, deposit: longer.leastDeposit - 1n } };
    const consent = { kind: 'authorization', renter } as const;
    await expect(changeLease(chain, { ...tooLittle, missing: longer.missing - 1n }, consent)).rejects.toMatchObject({
      details: { error: 'DepositTooSmall' },
    });
    await expect(planChange(chain, lease.leaseId, { deposit: 1n })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const { changed } = await changeLease(chain, longer, consent);
    expect(changed.roster).toMatchObject({ maxSeconds: 7_200, deposit: longer.leastDeposit });
    // A stop frees all but what can still be paid.
    await stopLease(chain, renter, lease.terms);
    const lower = await planChange(chain, lease.leaseId, {});
    expect(lower.missing).toBeLessThan(0n);
    await changeLease(chain, lower, { kind: 'balance', signer: renter });
    const closes = await Promise.all(pair().map((agent, place) => lease.claim(agent, place, 0n)));
    await closeLease(chain, { ...(await row(lease)), voucher: undefined, closes });
    await expectSettled(lease, [0n, 0n], pair());
  });
});
