import { describe, expect, test } from 'vitest';
import { createFakeChain, FakeRpcError, honestly, serveChain, type Tweak } from '../endpoints/fake-chain.fixture.ts';
import { escrowLog, leaseIdOf } from './escrow-events.fixture.ts';
import { openFollowBench } from './follow-bench.fixture.ts';

const [ONE, TWO] = [leaseIdOf(1), leaseIdOf(2)];
const opened = (id = ONE) => escrowLog('Opened', id);
const paid = (units: bigint, id = ONE) => escrowLog('Paid', id, { units: [units], charged: units * 2n });

const losing =
  (lost: (params: readonly unknown[]) => boolean): Tweak =>
  (method, params, honest) =>
    method === 'eth_getLogs' && lost(params) ? [] : honest();

describe('lost logs', () => {
  test('of a new block are missed by its bloom, and found in its receipts where nobody else can be asked', async () => {
    const chain = createFakeChain();
    await using served = await serveChain(
      chain,
      losing(() => true),
    );
    using bench = openFollowBench();
    const follower = bench.open([served]);
    chain.mine([opened()]);
    await expect(follower.catchUp()).rejects.toMatchObject({
      code: 'CHAIN_DISAGREES',
      details: { endpoint: `1 (${served.url})`, block: 1n, logs: 1 },
    });
    expect(follower.head()).toBeUndefined();
    served.become(honestly);
    await follower.catchUp();
    expect(follower.openLeases()).toHaveLength(1);
  });

  test('of a new block are missed by its bloom, and had of another endpoint, and it is said who lost them', async () => {
    const chain = createFakeChain();
    chain.mine([opened()]);
    await using one = await serveChain(
      chain,
      losing(() => true),
    );
    await using two = await serveChain(chain);
    using bench = openFollowBench();
    await expect(bench.open([one, two]).catchUp()).rejects.toMatchObject({
      code: 'CHAIN_DISAGREES',
      details: { why: `Endpoint 1 (${one.url}) has lost logs.` },
    });
  });

  test('of a new block hold nothing up where two of three have them: they are read from one of those', async () => {
    const chain = createFakeChain();
    chain.mine([opened()]);
    await using one = await serveChain(
      chain,
      losing(() => true),
    );
    await using two = await serveChain(chain);
    await using three = await serveChain(chain);
    using bench = openFollowBench();
    const follower = bench.open([one, two, three]);
    await expect(follower.catchUp()).rejects.toMatchObject({
      code: 'CHAIN_DISAGREES',
      details: { block: 1n, logs: 1 },
    });
    expect(follower.head()).toBeUndefined();
    await follower.catchUp();
    expect(follower.openLeases()).toHaveLength(1);
  });

  test('that slipped through are noticed when their block is confirmed, and taken in where they belong', async () => {
    const chain = createFakeChain();
    chain.mine([opened(TWO)]);
    chain.mine([opened()]);
    chain.mine([paid(5n)]);
    // Knows no receipts either: nothing is left to hold it against, until it has its logs again.
    const forgetful: Tweak = (method, params, honest) => {
      if (method === 'eth_getBlockReceipts') throw new FakeRpcError(-32601, 'unknown method');
      return losing(([filter]) => Object(filter).blockHash === chain.blocks[2]?.hash)(method, params, honest);
    };
    await using served = await serveChain(chain, forgetful);
    using bench = openFollowBench();
    const follower = bench.open([served]);
    const told: string[] = [];
    follower.consume({
      ...{ name: 'listener', view: 'latest', from: 'start' },
      take: (all) => told.push(...all.map(({ kind, event }) => `${kind} ${event.name} ${event.raw.blockNumber}`)),
    });
    await follower.catchUp();
    expect(follower.leaseHistory(ONE)?.state).toBe('unknown');
    chain.mine();
    await follower.catchUp();
    expect(follower.leaseHistory(ONE)).toMatchObject({ state: 'active', paidUnits: [5n] });
    expect(told).toEqual(['new Opened 1', 'new Paid 3', 'reverted Paid 3', 'new Opened 2', 'new Paid 3']);
  });

  test('of what is long past are found by a second endpoint', async () => {
    const chain = createFakeChain();
    for (let block = 1; block <= 12; block += 1) chain.mine(block === 2 ? [opened()] : []);
    await using one = await serveChain(chain);
    await using two = await serveChain(
      chain,
      losing(() => true),
    );
    using bench = openFollowBench();
    await expect(bench.open([one, two]).catchUp()).rejects.toMatchObject({
      code: 'CHAIN_DISAGREES',
      message: expect.stringContaining(`Endpoint 2 (${two.url}) lacks 1 logs`),
    });
  });

  test('and altered ones are replaced by what all say once their block is confirmed', async () => {
    const chain = createFakeChain();
    chain.mine([opened()]);
    chain.mine([paid(5n)]);
    const altered = paid(99n);
    const lying: Tweak = (method, params, honest) => {
      const isIt = method === 'eth_getLogs' && Object(params[0]).blockHash === chain.blocks[2]?.hash;
      return isIt ? [honest()].flat().map((log) => ({ ...Object(log), data: altered.data })) : honest();
    };
    await using served = await serveChain(chain, lying);
    using bench = openFollowBench();
    const follower = bench.open([served]);
    await follower.catchUp();
    expect(follower.leaseHistory(ONE)).toMatchObject({ paidUnits: [99n] });
    chain.mine();
    chain.mine();
    await follower.catchUp();
    expect(follower.leaseHistory(ONE)).toMatchObject({ paidUnits: [5n] });
    expect(follower.leaseHistory(ONE, 'confirmed')).toEqual(follower.leaseHistory(ONE));
  });

  test('a head that nobody else is near leads nowhere', async () => {
    const chain = createFakeChain();
    for (let block = 1; block <= 12; block += 1) chain.mine(block === 2 ? [opened()] : []);
    const boasting: Tweak = (method, params, honest) => {
      if (method === 'eth_blockNumber') return '0xffffff';
      const isHead = method === 'eth_getBlockByNumber' && params[0] === 'latest';
      return isHead ? { ...Object(honest()), number: '0xffffff' } : honest();
    };
    await using one = await serveChain(chain, boasting);
    await using two = await serveChain(chain);
    using bench = openFollowBench();
    const follower = bench.open([one, two]);
    expect(await follower.catchUp()).toMatchObject({ head: { number: 12n } });
    expect(follower.openLeases()).toHaveLength(1);
  });

  test('a quorum that does not follow is waited for, not asked without end', async () => {
    const chain = createFakeChain();
    for (let block = 1; block <= 4; block += 1) chain.mine([opened(leaseIdOf(block))]);
    const behind = chain.fork();
    await using one = await serveChain(chain);
    await using two = await serveChain(behind);
    using bench = openFollowBench();
    const follower = bench.open([one, two]);
    await follower.catchUp();
    for (let block = 0; block < 30; block += 1) chain.mine();
    await expect(follower.catchUp()).rejects.toMatchObject({ code: 'CHAIN_UNREACHABLE' });
  });
});
