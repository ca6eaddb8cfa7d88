import { silentLogger, systemClock } from '@latent/kit';
import { type Address, concat, type Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { describe, expect, test } from 'vitest';
import { type Anvil, anvilPath, LOGGER_CODE, noAnvil, startAnvil } from '../anvil.fixture.ts';
import { openEndpoints } from '../endpoints/open-endpoints.ts';
import { ESCROW, escrowLog, leaseIdOf } from './escrow-events.fixture.ts';
import { openFollowBench } from './follow-bench.fixture.ts';

const NO_TOPIC: Hex = `0x${'0'.repeat(64)}`;
const [ONE, TWO] = [leaseIdOf(1), leaseIdOf(2)];

/** Somebody who makes the escrow's place log what a test wants. */
async function openLogging({ client }: Anvil) {
  const account = privateKeyToAccount(generatePrivateKey());
  await client.setBalance({ address: account.address, value: 10n ** 20n });
  await client.setCode({ address: ESCROW, bytecode: LOGGER_CODE });
  return async (...args: Parameters<typeof escrowLog>) => {
    const { topics, data } = escrowLog(...args);
    const [first = NO_TOPIC, second = NO_TOPIC, third = NO_TOPIC] = topics;
    const to: Address = ESCROW;
    await client.sendTransaction({
      account,
      chain: null,
      to,
      data: concat([first, second, third, data]),
      gas: 500_000n,
    });
  };
}

describe.skipIf(anvilPath === undefined)(
  `following a real chain${anvilPath === undefined ? ` (${noAnvil})` : ''}`,
  () => {
    test('over a reorganisation', async () => {
      await using anvil = await startAnvil();
      using bench = openFollowBench();
      const log = await openLogging(anvil);
      const follower = bench.open([anvil]);
      const told: string[] = [];
      follower.consume({
        ...{ name: 'listener', view: 'latest', from: 'start' },
        take: (notices) => told.push(...notices.map(({ kind, event }) => `${kind} ${event.name}`)),
      });
      await log('Opened', ONE);
      await log('Paid', ONE, { units: [5n], charged: 9n });
      await follower.catchUp();
      expect(follower.leaseHistory(ONE)).toMatchObject({ state: 'active', paidUnits: [5n], charged: 9n });
      const { timestamp } = await anvil.client.getBlock({ blockNumber: 1n });
      expect(follower.leaseHistory(ONE)?.openedAt).toBe(Number(timestamp));
      await anvil.reorg(1);
      await log('Opened', TWO);
      await follower.catchUp();
      expect(follower.leaseHistory(ONE)).toMatchObject({ state: 'active', paidUnits: [] });
      expect(follower.openLeases().map(({ leaseId }) => leaseId)).toEqual([ONE, TWO]);
      expect(told).toEqual(['new Opened', 'new Paid', 'reverted Paid', 'new Opened']);
    });

    test('that goes back to a snapshot and on from there', async () => {
      await using anvil = await startAnvil();
      using bench = openFollowBench();
      const log = await openLogging(anvil);
      const follower = bench.open([anvil]);
      await anvil.client.mine({ blocks: 2 });
      const id = await anvil.client.snapshot();
      await log('Opened', ONE);
      await anvil.client.mine({ blocks: 4 });
      await follower.catchUp();
      expect(follower.openLeases('confirmed')).toHaveLength(1);
      await anvil.client.revert({ id });
      // The first of its blocks must not be the same as before.
      await anvil.client.increaseTime({ seconds: 60 });
      await log('Opened', TWO);
      await anvil.client.mine({ blocks: 6 });
      await follower.catchUp();
      expect(follower.openLeases('confirmed').map(({ leaseId }) => leaseId)).toEqual([TWO]);
    });

    test('from its deployment on, over more blocks than one range holds', async () => {
      await using anvil = await startAnvil();
      using bench = openFollowBench();
      const log = await openLogging(anvil);
      await log('Opened', ONE);
      await anvil.client.mine({ blocks: 500 });
      await log('Opened', TWO);
      await anvil.client.mine({ blocks: 500 });
      const endpoints = openEndpoints(
        { chainId: 31_337, urls: [anvil.url] },
        { clock: systemClock, logger: silentLogger },
      );
      const follower = bench.open([anvil], { endpoints, maxRangeBlocks: 100n });
      expect(await follower.catchUp()).toMatchObject({ head: { number: 1_002n }, confirmed: { number: 1_000n } });
      expect(follower.openLeases('confirmed').map(({ leaseId }) => leaseId)).toEqual([ONE, TWO]);
    });
  },
);
