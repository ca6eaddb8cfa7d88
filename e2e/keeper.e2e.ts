import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { leaseHistory, readLease, stopLease } from '@latent/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EscrowLeases, makeEscrowLeases, type PaperLease } from './network/escrow-leases.ts';

import { openForgetfulEndpoint } from './network/forgetful-endpoint.ts';
import { openNetwork, type TestNetwork } from './network/test-network.ts';
import { waitUntil } from './network/wait-until.ts';
import { handIn, startDaemon, type WatchDaemon } from './network/watch-daemon.ts';

/** More than any lease here can be worth: nothing is checkpointed before its time. */
const NEVER = '1000000000000000';

describe('a keeper', () => {
  let network: TestNetwork;
  let leases: EscrowLeases;
  let started = 0;

  beforeAll(async () => {
    network = await openNetwork({ operators: 1 });
    leases = await makeEscrowLeases(network, 2);
  });
  afterAll(() => network.close());

  /** With an account that has ether. */
  async function startKeeper(settings: Readonly<Record<string, unknown>>, name = `keeper-${started++}`) {
    const accounts = leases.operators.map(({ account }) => account.address);
    const keeper = await startDaemon(network, 'keeper', name, { for: accounts, patienceSeconds: 0, ...settings });
    await leases.fund(keeper.account);
    return keeper;
  }

  const transactionsOf = ({ account }: WatchDaemon) => leases.chain.public.getTransactionCount({ address: account });
  const paymentsOf = async ({ leaseId }: PaperLease) =>
    (await leaseHistory(leases.chain, leaseId)).events.filter(({ kind }) => kind === 'paid').length;
  const paidUnits = async ({ leaseId }: PaperLease) => (await leaseHistory(leases.chain, leaseId)).paidUnits;
  const chainSeconds = async () => (await leases.chain.public.getBlock()).timestamp;
  const secondsPass = async (count: bigint) => {
    const from = await chainSeconds();
    await waitUntil(`${count} s have passed on the chain`, async () => (await chainSeconds()) >= from + count);
  };
  const ended = (keeper: WatchDaemon, count = 1) =>
    waitUntil('the keeper has done it', async () => {
      const { deeds } = await keeper.status();
      return deeds.filter(({ state }) => state !== 'open').length >= count && deeds;
    });

  test('pays several leases in one transaction, and leaves out a row that the contract would skip', async () => {
    const patient = { minWorth: NEVER, spreadSeconds: 0 };
    const keeper = await startKeeper(patient, 'batch');
    const opened = [];
    for (let index = 0; index < 3; index += 1) opened.push(await leases.open(leases.operators));
    for (const lease of opened) await handIn(keeper, 'vouchers', await lease.voucher([5n, 5n]));
    // Once all units have been delivered, both are worth their gas, and one payment leaves nothing for another.
    await secondsPass(6n);
    expect(await keeper.status()).toMatchObject({ leases: 3, vouchers: 3, deeds: [] });
    await keeper.kill('SIGTERM');
    const [bad, ...good] = opened;
    // A disk that lies: the voucher was good when it was kept.
    const store = new DatabaseSync(join(keeper.dataDir, 'keeper.sqlite'));
    const spoiled = `{"leaseId":"${bad!.leaseId}","units":["5","5"],"accrueFrom":[0,0],"signature":"0x${'5'.repeat(128)}1b"}`;
    store.prepare('UPDATE vouchers SET voucher = ? WHERE lease_id = ?').run(spoiled, bad!.leaseId);
    store.close();
    const again = await startKeeper({ ...patient, minWorth: '1', gasTimes: 1 }, 'batch');
    const [deed] = await ended(again);
    expect(deed).toMatchObject({ deed: 'checkpoint', state: 'done' });
    // In which order depends on when each voucher came.
    expect([...deed!.leases].sort()).toEqual(good.map(({ leaseId }) => leaseId).sort());
    expect(await transactionsOf(again)).toBe(1);
    for (const lease of good) expect((await paidUnits(lease))[0]).toBeGreaterThan(0n);
    expect(await paidUnits(bad!)).toEqual([]);
    expect((await again.status()).spentWeiToday).toBeLessThanOrEqual(deed!.mostWei);
    await again.kill('SIGTERM');
  });

  test('that is killed between sending and the receipt pays nothing twice', async () => {
    const settings = { minWorth: '1', gasTimes: 1, spreadSeconds: 0 };
    const keeper = await startKeeper({ ...settings, minWorth: NEVER }, 'killed');
    const lease = await leases.open(leases.operators);
    await handIn(keeper, 'vouchers', await lease.voucher([5n, 5n]));
    await keeper.kill('SIGTERM');
    await leases.dev.setIntervalMining({ interval: 0 });
    const hasty = await startKeeper(settings, 'killed');
    await waitUntil(
      'its transaction is in the pool',
      async () => Number((await leases.dev.getTxpoolStatus()).pending) > 0,
    );
    expect((await hasty.status()).deeds).toMatchObject([{ state: 'open' }]);
    await hasty.kill('SIGKILL');
    const next = await startKeeper(settings, 'killed');
    await leases.dev.setIntervalMining({ interval: 1 });
    expect(await ended(next)).toMatchObject([{ state: 'done' }]);
    expect(await paidUnits(lease)).toEqual([5n, 5n]);
    expect(await paymentsOf(lease)).toBe(1);
    expect(await transactionsOf(next)).toBe(1);
    await next.kill('SIGTERM');
  });

  test('closes a lease whose members all signed, and refunds the renter', async () => {
    const keeper = await startKeeper({ minWorth: NEVER, spreadSeconds: 0 });
    const lease = await leases.open(leases.operators);
    await handIn(keeper, 'vouchers', await lease.voucher([8n, 8n]));
    await handIn(keeper, 'closes', await lease.claim(0, 7n));
    await handIn(keeper, 'closes', await lease.claim(1, 6n));
    expect(await ended(keeper)).toMatchObject([{ deed: 'close', state: 'done' }]);
    const history = await leaseHistory(leases.chain, lease.leaseId);
    expect(history.paidUnits).toEqual([7n, 6n]);
    expect(history.closed?.refund).toBe(lease.terms.order.deposit - (history.closed?.charged ?? 0n));
    await keeper.kill('SIGTERM');
  });

  test('lets a member go, and finalizes the lease after its window, though the chain is reorganised meanwhile', async () => {
    const keeper = await startKeeper({ minWorth: NEVER, spreadSeconds: 0 });
    const lease = await leases.open(leases.operators);
    await handIn(keeper, 'vouchers', await lease.voucher([9n, 9n]));
    await handIn(keeper, 'leavings', await lease.claim(0, 4n));
    expect(await ended(keeper)).toMatchObject([{ deed: 'leave', state: 'done' }]);
    await stopLease(leases.chain, leases.renter, lease.terms);
    const paid = async () => {
      const { paidUnits: units, events } = await leaseHistory(leases.chain, lease.leaseId);
      return units[1] === 9n && (events.findLast(({ kind }) => kind === 'paid')?.block ?? false);
    };
    const block = await waitUntil('the last voucher is posted', paid);
    await leases.dev.setIntervalMining({ interval: 0 });
    const depth = Number((await leases.chain.public.getBlockNumber()) - block) + 1;
    await leases.chain.public.request({ method: 'anvil_reorg' as never, params: [depth, []] as never });
    expect((await paidUnits(lease))[1]).toBe(0n);
    await leases.dev.setIntervalMining({ interval: 1 });
    await waitUntil('it is posted again', paid);
    await network.faults.advanceTime(2_000);
    await waitUntil('it is closed', async () => (await readLease(leases.chain, lease.leaseId)).state === 'closed');
    expect(await paidUnits(lease)).toEqual([4n, 9n]);
    await keeper.kill('SIGTERM');
  });

  test('waits while gas costs more than it saves, and sends when it is cheap again', async () => {
    const keeper = await startKeeper({ minWorth: NEVER, spreadSeconds: 0 });
    const lease = await leases.open(leases.operators);
    await handIn(keeper, 'vouchers', await lease.voucher([3n, 3n]));
    // Some 80,000 gas at 1,000 gwei are $240; the voucher is worth $6.
    const spike = 10n ** 12n;
    await leases.dev.setNextBlockBaseFeePerGas({ baseFeePerGas: spike });
    await leases.dev.mine({ blocks: 1 });
    await leases.dev.setIntervalMining({ interval: 0 });
    await stopAtAnyPrice(lease);
    const { timestamp } = await leases.chain.public.getBlock();
    await waitUntil(
      'it has seen the stop',
      async () => ((await keeper.status()).chainSeconds ?? 0) >= Number(timestamp),
    );
    await leases.dev.setNextBlockBaseFeePerGas({ baseFeePerGas: spike });
    await leases.dev.mine({ blocks: 1 });
    expect((await keeper.status()).deeds).toEqual([]);
    await leases.dev.setNextBlockBaseFeePerGas({ baseFeePerGas: 10n ** 9n });
    await leases.dev.setIntervalMining({ interval: 1 });
    const [deed] = await ended(keeper);
    expect(deed).toMatchObject({ deed: 'checkpoint', state: 'done' });
    expect((deed!.spentWei * 3_000_000_000n) / 10n ** 18n).toBeLessThanOrEqual(deed!.worth);
    await keeper.kill('SIGTERM');

    async function stopAtAnyPrice({ terms }: PaperLease): Promise<void> {
      const stopping = stopLease(leases.chain, leases.renter, terms);
      for (let block = 0; block < 20; block += 1) {
        await leases.dev.setNextBlockBaseFeePerGas({ baseFeePerGas: spike });
        await leases.dev.mine({ blocks: 1 });
        if ((await readLease(leases.chain, lease.leaseId)).stopAt !== 0) break;
      }
      await stopping;
    }
  });

  test('goes on and pays once though one of three endpoints loses receipts and says that it cannot be done, and names it', async () => {
    const { rpcUrl } = network.devnet.deployment;
    await using liar = await openForgetfulEndpoint(rpcUrl);
    const settings = { minWorth: '1', gasTimes: 1, spreadSeconds: 0 };
    const endpoints = [liar.url, rpcUrl, rpcUrl.replace('127.0.0.1', 'localhost')];
    const keeper = await startKeeper({ ...settings, endpoints }, 'lied-to');
    const lease = await leases.open(leases.operators);
    await handIn(keeper, 'vouchers', await lease.voucher([4n, 4n]));
    await waitUntil('all of it is paid', async () => (await paidUnits(lease))[0] === 4n);
    await ended(keeper);
    const { problems } = await keeper.status();
    expect(problems).toContainEqual(
      expect.stringMatching(
        /^CHAIN_DISAGREES: .* is not believed\. About the receipt of .* it says: none, at block \d+; 2 of/,
      ),
    );
    expect(problems.find((problem) => problem.includes('is not believed'))).toContain(liar.url);
    await handIn(keeper, 'vouchers', await lease.voucher([9n, 9n]));
    await waitUntil('the next one is paid as well', async () => (await paidUnits(lease))[0] === 9n);
    const deeds = await waitUntil('nothing is under way', async () => {
      const all = (await keeper.status()).deeds;
      return all.length > 1 && all.every(({ state }) => state !== 'open') && all;
    });
    expect(deeds.every(({ state }) => state === 'done')).toBe(true);
    expect(await transactionsOf(keeper)).toBe(deeds.length);
    expect(await paymentsOf(lease)).toBe(deeds.length);
    await keeper.kill('SIGTERM');
  });

  test('finds the work done when another keeper was quicker', async () => {
    const lease = await leases.open(leases.operators);
    const settings = { minWorth: NEVER, spreadSeconds: 100 };
    const keepers = [await startKeeper(settings), await startKeeper(settings)];
    for (const keeper of keepers) await handIn(keeper, 'vouchers', await lease.voucher([3n, 3n]));
    await stopLease(leases.chain, leases.renter, lease.terms);
    await waitUntil('one of them posts the voucher', async () => (await paidUnits(lease)).length > 0, 120_000);
    await network.faults.advanceTime(200);
    await waitUntil('both have seen it', async () => {
      const seen = await Promise.all(keepers.map(async (keeper) => (await keeper.status()).chainSeconds ?? 0));
      const { timestamp } = await leases.chain.public.getBlock();
      return seen.every((seconds) => seconds >= Number(timestamp) - 3);
    });
    const sent = await Promise.all(keepers.map(transactionsOf));
    expect(sent.reduce((sum, count) => sum + count, 0)).toBe(1);
    expect(await paymentsOf(lease)).toBe(1);
    for (const keeper of keepers) await keeper.kill('SIGTERM');
  });
});
