import { leaseEscrowAbi, parseDollars, rateFromHourlyDown, signOrderSet } from '@latent/protocol';
import {
  closeLease,
  depositBalance,
  draftOrderSet,
  type Funding,
  fundOrderSet,
  grantSession,
  leaseHistory,
  openFromSet,
  openLease,
  prepareLease,
  prepareOpening,
  readBalances,
  readChainTime,
  readLease,
  readSession,
  revokeSession,
  withdrawBalance,
  withdrawBalanceFor,
} from '@latent/sdk';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HeldAgent, type HeldLease, type Money, openMoney } from './network/money.ts';

describe('every way of paying for a lease, on a real chain', () => {
  let money: Money;
  let agents: readonly HeldAgent[];

  beforeAll(async () => {
    money = await openMoney();
    agents = await money.join(2);
  });
  afterAll(() => money?.close());

  const inEscrow = async () => (await readBalances(money.chain, money.renter.address)).inEscrow;

  /** Gives the devices back: nobody claims anything. */
  async function end(lease: HeldLease) {
    const { paidUnits, changed } = await leaseHistory(money.chain, lease.leaseId);
    const closes = await Promise.all(agents.map((agent, place) => lease.claim(agent, place, 0n)));
    const row = { account: money.stranger, terms: lease.terms, changed, paidUnits, voucher: undefined };
    await closeLease(money.chain, { ...row, closes });
  }

  test.each(['authorization', 'permit', 'allowance'] as const)(
    '%s: from the renter’s wallet, and back to it',
    async (kind) => {
      const before = await money.dollarsOf(money.renter);
      const lease = await money.open(agents, { kind, renter: money.renter });
      expect(await money.dollarsOf(money.renter)).toBe(before - lease.terms.order.deposit);
      await end(lease);
      expect(await money.dollarsOf(money.renter)).toBe(before);
    },
  );

  test('a lease that was prepared is only sent when it comes about; for another lease that is left aside, and so is what is too late', async () => {
    const { chain, renter } = money;
    const [first, second] = [await money.draft(agents), await money.draft(agents)];
    const prepared = await prepareOpening(chain);
    const wish = ({ terms, asks }: HeldLease) => {
      return { terms, asks, prepared, funding: { kind: 'authorization', renter } } as const;
    };
    const prepare = async (lease: HeldLease) => {
      const ready = await prepareLease(chain, wish(lease));
      expect(ready?.leaseId).toBe(lease.leaseId);
      return ready;
    };
    const isOpen = async ({ leaseId }: HeldLease) => (await readLease(chain, leaseId)).state === 'active';
    const ready = await prepare(first);
    expect(await isOpen(first)).toBe(false);
    const hashes: string[] = [];
    const other = await openLease(chain, { ...wish(second), ready, onSent: (hash) => hashes.push(hash) });
    expect([await isOpen(first), await isOpen(second)]).toEqual([false, true]);
    await end(second);
    // The transaction that was prepared for it can no longer be sent: the renter has sent another one.
    const late = await openLease(chain, { ...wish(first), ready, onSent: (hash) => hashes.push(hash) });
    expect(await isOpen(first)).toBe(true);
    await end(first);
    const third = await money.draft(agents);
    const { transaction } = (await prepare(third)) ?? {};
    const sent = await openLease(chain, {
      ...wish(third),
      ready: await prepare(third),
      onSent: (hash) => hashes.push(hash),
    });
    expect(hashes).toEqual([other?.hash, late?.hash, sent?.hash]);
    const mined = await chain.public.getTransaction({ hash: sent?.hash ?? '0x' });
    expect([mined.gas, mined.nonce]).toEqual([transaction?.gas, transaction?.nonce]);
    expect(await openLease(chain, wish(third))).toBeUndefined();
    await end(third);
  });

  test('a lease that cannot be opened is not prepared either, nor one that takes a transaction before', async () => {
    const { chain, renter } = money;
    const { terms, asks } = await money.draft(agents);
    const dear = { ...terms, order: { ...terms.order, deposit: terms.order.deposit - 1n } };
    expect(
      await prepareLease(chain, { terms: dear, asks, funding: { kind: 'authorization', renter } }),
    ).toBeUndefined();
    const spent = await chain.public.getTransactionCount({ address: renter.address });
    expect(await prepareLease(chain, { terms, asks, funding: { kind: 'allowance', renter } })).toBeUndefined();
    expect(await chain.public.getTransactionCount({ address: renter.address })).toBe(spent);
  });

  test('an authorization, and the balance, are sent by anybody; a permit and an allowance by the renter alone', async () => {
    const { chain, renter, stranger } = money;
    await depositBalance(chain, renter, parseDollars('10'));
    const open = async (funding: Funding) => {
      const lease = await money.draft(agents);
      await openLease(chain, { terms: lease.terms, asks: lease.asks, funding, sender: stranger });
      return lease;
    };
    for (const kind of ['authorization', 'balance'] as const) {
      const lease = await open({ kind, renter });
      expect((await readLease(chain, lease.leaseId)).state).toBe('active');
      await end(lease);
    }
    for (const kind of ['permit', 'allowance'] as const) {
      await expect(open({ kind, renter })).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
    }
    await expect(open({ kind: 'permit2', renter, nonce: 0n })).rejects.toMatchObject({
      code: 'CHAIN_REVERTED',
      details: { error: 'NoPermit2' },
    });
    await withdrawBalance(chain, renter, await inEscrow());
  });

  test('a session is granted and paid for by one signature that a stranger sends, and opens leases within its limits', async () => {
    const { chain, renter, stranger } = money;
    const session = privateKeyToAccount(generatePrivateKey());
    await money.giveEther(session);
    const nowSeconds = await readChainTime(chain);
    const limits = { key: session.address, maxDevices: 2, validUntil: nowSeconds + 86_400 };
    const [spendLimit, maxRate] = [parseDollars('5'), rateFromHourlyDown(parseDollars('2'))];
    const grant = { renter, limits: { ...limits, spendLimit, maxRate }, sender: stranger, grantBy: nowSeconds + 600 };
    await grantSession(chain, { ...grant, deposit: parseDollars('8') });
    expect(await inEscrow()).toBe(parseDollars('8'));

    const lease = await money.open(agents, { kind: 'session', session });
    expect(await readSession(chain, renter.address, session.address)).toMatchObject({
      spent: lease.terms.order.deposit,
      spendLimit,
    });
    await expect(money.open(agents, { kind: 'session', session })).rejects.toMatchObject({
      details: { error: 'SessionLimit', values: ['spend', '8000000', '5000000'] },
    });
    await end(lease);
    expect(await inEscrow()).toBe(parseDollars('8'));

    await grantSession(chain, { ...grant, limits: { ...grant.limits, maxRate: maxRate - 1n }, deposit: 0n });
    await expect(money.open(agents, { kind: 'session', session })).rejects.toMatchObject({
      details: { error: 'SessionLimit', values: ['rate', String(maxRate), String(maxRate - 1n)] },
      hint: expect.stringContaining('latent session create'),
    });
    await revokeSession(chain, renter, session.address);
    await expect(money.open(agents, { kind: 'session', session })).rejects.toMatchObject({
      details: { error: 'SessionNotValid' },
    });
  });

  test('a set opens its orders by one signature, within its count, and no other order', async () => {
    const { chain, renter, stranger } = money;
    await depositBalance(chain, renter, parseDollars('20'));
    const orders = [await money.draft(agents), await money.draft(agents), await money.draft(agents)];
    const openBy = (await readChainTime(chain)) + 600;
    const drafted = draftOrderSet(chain, { orders: orders.map(({ terms }) => terms), count: 2, openBy, salt: 1n });
    const signature = await signOrderSet(renter, chain.domain, drafted.set);
    const open = (index: number, change: Partial<Parameters<typeof openFromSet>[1]> = {}) => {
      const [lease, order] = [orders[index], drafted.orders[index]];
      if (lease === undefined || order === undefined) throw new Error(`no order ${index}`);
      return openFromSet(chain, {
        ...order,
        set: drafted.set,
        asks: lease.asks,
        signature,
        sender: stranger,
        ...change,
      });
    };
    const other = await money.draft(agents);
    await expect(open(0, { terms: other.terms })).rejects.toMatchObject({ details: { error: 'NotInSet' } });
    for (const index of [0, 2]) expect(await open(index)).toBeDefined();
    expect(await open(0)).toBeUndefined();
    await Promise.all(
      [0, 2].map((index) => orders[index]).map((lease) => (lease === undefined ? undefined : end(lease))),
    );
    await expect(open(1)).rejects.toMatchObject({ details: { error: 'SetExhausted' } });

    const funded = draftOrderSet(chain, { orders: [other.terms], openBy, salt: 2n });
    await fundOrderSet(chain, renter, funded.set, stranger);
    const [order] = funded.orders;
    if (order === undefined) throw new Error('no order');
    const parts = { ...order, set: funded.set, asks: other.asks, signature: '0x', sender: stranger } as const;
    expect(await openFromSet(chain, parts)).toBeDefined();
    await end(other);
  });

  test('a balance is taken out to any address by its owner’s signature, and by nobody else’s', async () => {
    const { chain, renter, stranger } = money;
    const { inEscrow: held } = await readBalances(chain, renter.address);
    const deadline = (await readChainTime(chain)) + 600;
    const before = await money.dollarsOf(stranger);
    const wanted = { owner: renter, sender: stranger, to: stranger.address, amount: held, deadline };
    await withdrawBalanceFor(chain, wanted);
    expect(await money.dollarsOf(stranger)).toBe(before + held);
    await expect(withdrawBalanceFor(chain, { ...wanted, deadline: deadline - 3_600 })).rejects.toMatchObject({
      details: { error: 'SignatureExpired' },
    });
    await expect(withdrawBalanceFor(chain, wanted)).rejects.toMatchObject({
      details: { error: 'InsufficientBalance' },
    });
    const args = [renter.address] as const;
    const { escrow: address } = chain.deployment;
    expect(await chain.public.readContract({ address, abi: leaseEscrowAbi, functionName: 'balanceOf', args })).toBe(0n);
  });
});
