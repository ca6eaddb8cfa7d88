import { type Abi, parseAbi } from 'viem';
import { describe, expect, test } from 'vitest';
import { createFakeChain, FakeRpcError, honestly, serveChain, type Tweak } from '../endpoints/fake-chain.fixture.ts';
import { eventAbis } from './decode-event.ts';
import { escrowLog, leaseIdOf } from './escrow-events.fixture.ts';
import { openFollowBench } from './follow-bench.fixture.ts';
import type { ChainNotice, Follower, View } from './follower.ts';

const [ONE, TWO] = [leaseIdOf(1), leaseIdOf(2)];
const opened = (id = ONE) => escrowLog('Opened', id);
const paid = (units: bigint, id = ONE) => escrowLog('Paid', id, { units: [units], charged: units * 2n });
const stopping = (stopAt: number, id = ONE) => escrowLog('Stopping', id, { stopAt });
const closed = (id = ONE) => escrowLog('Closed', id, { charged: 90n, refund: 10n });

/** Everything a consumer is told, as words. */
function listen(follower: Follower, view: View, name = 'listener'): string[] {
  const told: string[] = [];
  const words = ({ kind, event }: ChainNotice) => `${kind} ${event.name} ${event.raw.blockNumber}`;
  follower.consume({ name, view, from: 'start', take: (notices) => told.push(...notices.map(words)) });
  return told;
}

describe('history of a lease', () => {
  test('is kept from its opening to its end', async () => {
    const chain = createFakeChain();
    await using served = await serveChain(chain);
    using bench = openFollowBench();
    const follower = bench.open([served]);
    const { timestamp } = chain.mine([opened(), opened(TWO)]);
    chain.mine([paid(30n)]);
    await follower.catchUp();
    expect(follower.leaseHistory(ONE)).toMatchObject({
      ...{ state: 'active', openedAt: timestamp, paidUnits: [30n], charged: 60n },
      events: [{ name: 'Opened' }, { name: 'Paid' }],
    });
    expect(follower.leaseHistory(ONE)?.terms?.order.deposit).toBe(7n);
    chain.mine([stopping(1_800_000_100)]);
    await follower.catchUp();
    expect(follower.leaseHistory(ONE)).toMatchObject({ state: 'stopping', stopAt: 1_800_000_100 });
    expect(follower.openLeases().map(({ leaseId }) => leaseId)).toEqual([ONE, TWO]);
    chain.mine([paid(45n), closed()]);
    await follower.catchUp();
    expect(follower.leaseHistory(ONE)).toMatchObject({
      ...{ state: 'closed', paidUnits: [45n], charged: 90n },
      closed: { charged: 90n, refund: 10n },
    });
    expect(follower.openLeases().map(({ leaseId }) => leaseId)).toEqual([TWO]);
    expect(follower.leaseHistory(leaseIdOf(3))).toBeUndefined();
  });

  test('is seen as confirmed only below so many blocks', async () => {
    const chain = createFakeChain();
    await using served = await serveChain(chain);
    using bench = openFollowBench();
    const follower = bench.open([served]);
    chain.mine([opened()]);
    chain.mine([paid(30n)]);
    chain.mine();
    await follower.catchUp();
    expect(follower.head('confirmed')?.number).toBe(1n);
    expect(follower.leaseHistory(ONE, 'confirmed')).toMatchObject({ paidUnits: [] });
    expect(follower.leaseHistory(ONE, 'latest')).toMatchObject({ paidUnits: [30n] });
    chain.mine();
    await follower.catchUp();
    expect(follower.leaseHistory(ONE, 'confirmed')).toEqual(follower.leaseHistory(ONE));
  });

  test('holds the changes of a running lease, and is made anew when the program learns an event', async () => {
    const abi = parseAbi([
      'struct Roster { uint32 opened; uint40 maxSeconds; uint96 deposit; uint40[] from; uint40[] until; }',
      'struct Member { bytes32 ask; address operator; address agentKey; uint32 devices; uint64 rate; }',
      'event Changed(bytes32 indexed leaseId, Roster roster, Member[] added)',
    ]);
    const roster = { opened: 1, maxSeconds: 7_200, deposit: 500n, from: [0, 60], until: [0, 0] };
    const chain = createFakeChain();
    await using served = await serveChain(chain);
    using bench = openFollowBench();
    const without: Abi = eventAbis.escrow.filter((item) => !(item.type === 'event' && item.name === 'Changed'));
    const older = bench.open([served], { abis: { ...eventAbis, escrow: without } });
    chain.mine([opened()]);
    chain.mine([escrowLog('Changed', ONE, { roster }, abi)]);
    await older.catchUp();
    expect(older.leaseHistory(ONE)).toMatchObject({ changes: [] });
    expect(older.events().map(({ name }) => name)).toEqual(['Opened', undefined]);
    const newer = bench.open([served], { abis: { ...eventAbis, escrow: [...without, ...abi] } });
    expect(newer.leaseHistory(ONE)).toMatchObject({ roster, members: [{}, {}], changes: [{ block: 2n, roster }] });
  });

  test('a lease whose opening an endpoint has lost is not taken for one, and is reported', async () => {
    const chain = createFakeChain();
    for (const logs of [[opened(TWO)], [], [paid(1n)], [], [], [], []]) chain.mine(logs);
    await using served = await serveChain(chain);
    using bench = openFollowBench();
    const follower = bench.open([served]);
    const { problem } = await follower.catchUp();
    expect(problem).toMatchObject({ code: 'CHAIN_DISAGREES', details: { leaseIds: [ONE] } });
    expect(follower.leaseHistory(ONE)?.state).toBe('unknown');
    expect(follower.openLeases().map(({ leaseId }) => leaseId)).toEqual([TWO]);
  });
});

describe('a reorganisation', () => {
  test('is told as reverted events, the last first, before new ones', async () => {
    const chain = createFakeChain();
    await using served = await serveChain(chain);
    using bench = openFollowBench();
    const follower = bench.open([served]);
    const told = listen(follower, 'latest');
    chain.mine([opened()]);
    chain.mine([paid(30n)]);
    chain.mine([paid(40n)]);
    await follower.catchUp();
    chain.takeBack(2);
    chain.mine([paid(35n)]);
    await follower.catchUp();
    expect(told).toEqual([
      'new Opened 1',
      'new Paid 2',
      'new Paid 3',
      'reverted Paid 3',
      'reverted Paid 2',
      'new Paid 2',
    ]);
    expect(follower.leaseHistory(ONE)).toMatchObject({ paidUnits: [35n] });
  });

  test('to a chain that is shorter takes back what that one has not', async () => {
    const chain = createFakeChain();
    await using served = await serveChain(chain);
    using bench = openFollowBench();
    const follower = bench.open([served]);
    chain.mine();
    chain.mine([opened()]);
    chain.mine([opened(TWO)]);
    await follower.catchUp();
    chain.takeBack(2);
    chain.mine();
    await follower.catchUp();
    expect(follower.openLeases()).toEqual([]);
    expect(follower.head()?.hash).toBe(chain.blocks.at(-1)?.hash);
  });

  test('to a chain that is longer is seen from the next block, which does not follow the known one', async () => {
    const chain = createFakeChain();
    await using served = await serveChain(chain);
    using bench = openFollowBench();
    const follower = bench.open([served], { confirmations: 4n });
    const told = listen(follower, 'latest');
    chain.mine();
    chain.mine([opened()]);
    await follower.catchUp();
    chain.takeBack(1);
    chain.mine();
    chain.mine();
    await follower.catchUp();
    expect(told).toEqual(['new Opened 2', 'reverted Opened 2']);
    expect(follower.openLeases()).toEqual([]);
  });

  test('that is itself taken back brings the same events again', async () => {
    const chain = createFakeChain();
    await using served = await serveChain(chain);
    using bench = openFollowBench();
    const follower = bench.open([served]);
    const told = listen(follower, 'latest');
    chain.mine([opened()]);
    const other = chain.fork();
    other.takeBack(1);
    other.mine();
    other.mine();
    await follower.catchUp();
    served.become((method, params) => other.answer(method, params));
    await follower.catchUp();
    expect(follower.openLeases()).toEqual([]);
    chain.mine();
    chain.mine();
    served.become(honestly);
    await follower.catchUp();
    expect(told).toEqual(['new Opened 1', 'reverted Opened 1', 'new Opened 1']);
    expect(follower.openLeases()).toHaveLength(1);
  });

  test('below what was confirmed is told to those who look at confirmed events, too', async () => {
    const chain = createFakeChain();
    await using served = await serveChain(chain);
    using bench = openFollowBench();
    const follower = bench.open([served]);
    const told = listen(follower, 'confirmed');
    for (const logs of [[], [opened()], [], []]) chain.mine(logs);
    await follower.catchUp();
    expect(told).toEqual(['new Opened 2']);
    chain.takeBack(3);
    for (const logs of [[], [opened(TWO)], [], []]) chain.mine(logs);
    await follower.catchUp();
    expect(told).toEqual(['new Opened 2', 'reverted Opened 2', 'new Opened 3']);
    expect(follower.openLeases('confirmed').map(({ leaseId }) => leaseId)).toEqual([TWO]);
  });

  test('below what was confirmed is not believed of one endpoint against another', async () => {
    const chain = createFakeChain();
    for (const logs of [[], [opened()], [], [], []]) chain.mine(logs);
    const lie = chain.fork();
    lie.takeBack(4);
    for (let block = 0; block < 6; block += 1) lie.mine();
    await using one = await serveChain(chain);
    await using two = await serveChain(chain);
    using bench = openFollowBench();
    const follower = bench.open([one, two]);
    const before = await follower.catchUp();
    one.become((method, params) => lie.answer(method, params));
    await expect(follower.catchUp()).rejects.toMatchObject({ code: 'CHAIN_DISAGREES' });
    expect(follower.status()).toMatchObject({ head: before.head, confirmed: before.confirmed });
    expect(follower.status().problem?.code).toBe('CHAIN_DISAGREES');
    expect(follower.openLeases('confirmed')).toHaveLength(1);
    one.become(honestly);
    expect((await follower.catchUp()).problem).toBeUndefined();
  });

  test('an endpoint that lags takes nothing back', async () => {
    const chain = createFakeChain();
    chain.mine([opened()]);
    const behind = chain.fork();
    chain.mine([paid(3n)]);
    await using quick = await serveChain(chain);
    using bench = openFollowBench();
    const follower = bench.open([quick]);
    await follower.catchUp();
    quick.become((method, params) => behind.answer(method, params));
    await follower.catchUp();
    expect(follower.leaseHistory(ONE)).toMatchObject({ paidUnits: [3n] });
    expect(follower.head()?.number).toBe(2n);
  });
});

describe('catching up', () => {
  test('asks for less where an endpoint refuses a range, and takes in all', async () => {
    const chain = createFakeChain();
    for (let block = 1; block <= 40; block += 1) chain.mine(block % 7 === 0 ? [opened(leaseIdOf(block))] : []);
    const modest: Tweak = (method, params, honest) => {
      const { fromBlock, toBlock } = Object(params[0]);
      if (method === 'eth_getLogs' && Number(toBlock) - Number(fromBlock) > 4) {
        throw new FakeRpcError(-32600, 'block range too large');
      }
      return honest();
    };
    await using served = await serveChain(chain, modest);
    using bench = openFollowBench();
    const follower = bench.open([served], { maxRangeBlocks: 1_000n });
    expect(await follower.catchUp()).toMatchObject({ head: { number: 40n }, behindBlocks: 0n });
    expect(follower.openLeases().map(({ leaseId }) => leaseId)).toEqual([7, 14, 21, 28, 35].map(leaseIdOf));
    expect(follower.openLeases('confirmed')).toEqual(follower.openLeases());
  });

  test('goes on after a restart where it stood, and asks for nothing twice', async () => {
    const chain = createFakeChain();
    for (let block = 1; block <= 10; block += 1) chain.mine();
    await using served = await serveChain(chain);
    using bench = openFollowBench();
    await bench.open([served]).catchUp();
    const asked = served.asked.length;
    await bench.open([served]).catchUp();
    expect(served.asked.slice(asked)).toEqual(['eth_chainId', 'eth_getBlockByNumber']);
  });

  test('a reorganisation of what one endpoint said is found before more is built on it', async () => {
    const chain = createFakeChain();
    chain.mine();
    chain.mine([opened()]);
    await using served = await serveChain(chain);
    using bench = openFollowBench();
    const follower = bench.open([served]);
    await follower.catchUp();
    chain.takeBack(1);
    for (let block = 0; block < 12; block += 1) chain.mine(block === 0 ? [opened(TWO)] : []);
    await follower.catchUp();
    expect(follower.openLeases('confirmed').map(({ leaseId }) => leaseId)).toEqual([TWO]);
  });

  test('a store is not used for another deployment', async () => {
    await using served = await serveChain(createFakeChain());
    using bench = openFollowBench();
    bench.open([served]);
    const other = { chainId: 31_337, escrow: leaseIdOf(1).slice(0, 42), operators: leaseIdOf(2).slice(0, 42) };
    expect(() => bench.open([served], { deployment: Object({ ...other, deployedAtBlock: '1' }) })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });
});

describe('a consumer', () => {
  test('that fails is told the same again, and what it wrote is gone', async () => {
    const chain = createFakeChain();
    await using served = await serveChain(chain);
    using bench = openFollowBench();
    const follower = bench.open([served]);
    let failures = 1;
    const seen: number[] = [];
    const take = (notices: readonly ChainNotice[]) => {
      for (const { sequence } of notices) bench.store.run("INSERT INTO effect VALUES (?, 'x', '')", [sequence]);
      if (failures > 0) {
        failures -= 1;
        throw new Error('not yet');
      }
      seen.push(...notices.map(({ sequence }) => sequence));
    };
    follower.consume({ name: 'writer', view: 'latest', from: 'start', take });
    chain.mine([opened(), opened(TWO)]);
    await follower.catchUp();
    expect(seen).toEqual([]);
    await follower.catchUp();
    expect(seen).toHaveLength(2);
  });

  test('goes on after a restart where it was, and one that begins now is told of nothing before', async () => {
    const chain = createFakeChain();
    await using served = await serveChain(chain);
    using bench = openFollowBench();
    const first = bench.open([served]);
    const before = listen(first, 'latest');
    chain.mine([opened()]);
    await first.catchUp();
    const second = bench.open([served]);
    const after = listen(second, 'latest');
    const fresh: string[] = [];
    second.consume({
      name: 'fresh',
      view: 'latest',
      from: 'now',
      take: (all) => fresh.push(...all.map(({ kind }) => kind)),
    });
    chain.mine([paid(1n)]);
    await second.catchUp();
    expect([before, after, fresh]).toEqual([['new Opened 1'], ['new Paid 2'], ['new']]);
  });
});

test('following goes on after the chain was away, and ends with its signal', async () => {
  const chain = createFakeChain();
  chain.mine([opened()]);
  await using served = await serveChain(chain, () => {
    throw new Error('away');
  });
  using bench = openFollowBench();
  const follower = bench.open([served], {
    pollMs: 1,
    clock: { nowMs: () => Date.now(), sleep: () => Promise.resolve() },
  });
  const stop = new AbortController();
  const following = follower.follow(stop.signal);
  const told = new Promise<void>((resolve) => {
    follower.consume({ name: 'waiter', view: 'latest', from: 'start', take: () => resolve() });
  });
  served.become(honestly);
  await told;
  stop.abort();
  await following;
  expect(follower.openLeases()).toHaveLength(1);
});
