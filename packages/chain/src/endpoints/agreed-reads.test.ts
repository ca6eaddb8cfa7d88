import { createManualClock, type Logger, silentLogger } from '@latent/kit';
import { type Address, type Hex, keccak256, stringToHex } from 'viem';
import { describe, expect, test } from 'vitest';
import type { Endpoints, EndpointsOptions } from './endpoints.ts';
import { createFakeChain, type FakeEndpoint, FakeRpcError, serveChain, type Tweak } from './fake-chain.fixture.ts';
import { openEndpoints } from './open-endpoints.ts';

const ESCROW: Address = '0x1111111111111111111111111111111111111111';
const TOPIC: Hex = keccak256(stringToHex('Something()'));
const log = (data: Hex = '0x01') => ({ address: ESCROW, topics: [TOPIC], data });
const clock = createManualClock(1_800_000_000_000);

function open(
  served: readonly Pick<FakeEndpoint, 'url'>[],
  options: Partial<EndpointsOptions> = {},
  logger: Logger = silentLogger,
): Endpoints {
  return openEndpoints(
    { chainId: 31_337, urls: served.map(({ url }) => url), timeoutMs: 2_000, ...options },
    { clock, logger },
  );
}

/** Has lost the last log of a range. */
const losing: Tweak = (method, _params, honest) =>
  method === 'eth_getLogs' ? [honest()].flat().slice(0, 1) : honest();

/** Has lost all logs. */
const bare: Tweak = (method, _params, honest) => (method === 'eth_getLogs' ? [] : honest());

/** Has no block yet. */
const lagging: Tweak = (method, _params, honest) => (method === 'eth_getBlockByNumber' ? null : honest());

const failing: Tweak = () => {
  throw new Error('down');
};

function chainOf(...blocks: readonly (readonly ReturnType<typeof log>[])[]) {
  const chain = createFakeChain();
  for (const logs of blocks) chain.mine(logs);
  return chain;
}

const range = { addresses: [ESCROW], from: 0n, to: 2n };

describe('a quorum', () => {
  test('agrees where all say the same', async () => {
    const chain = chainOf([log()], [log('0x02')]);
    await using one = await serveChain(chain);
    await using two = await serveChain(chain);
    const endpoints = open([one, two]);
    expect((await endpoints.agreedLogs(range))?.logs.map(({ data }) => data)).toEqual(['0x01', '0x02']);
    const [first] = (await endpoints.agreedLogs(range))?.logs ?? [];
    expect(await endpoints.agreedBlock(1n)).toMatchObject({ hash: first?.blockHash });
  });

  test('names both answers where endpoints are on different forks', async () => {
    const chain = chainOf([], []);
    const other = chain.fork();
    other.takeBack(1);
    other.mine();
    await using one = await serveChain(chain);
    await using two = await serveChain(other);
    const thrown = await open([one, two])
      .agreedBlock(2n)
      .catch((error: unknown) => error);
    expect(thrown).toMatchObject({
      code: 'CHAIN_DISAGREES',
      details: {
        answers: [`1 (${one.url}): hash ${chain.blocks[2]?.hash}`, `2 (${two.url}): hash ${other.blocks[2]?.hash}`],
      },
    });
  });

  test('says which endpoint has lost logs, and which', async () => {
    const chain = chainOf([log()], [log('0x02')]);
    await using one = await serveChain(chain);
    await using two = await serveChain(chain, (method, _params, honest) =>
      method === 'eth_getLogs' ? [honest()].flat().slice(0, 1) : honest(),
    );
    await expect(open([one, two]).agreedLogs(range)).rejects.toMatchObject({
      code: 'CHAIN_DISAGREES',
      details: { why: `Endpoint 2 (${two.url}) lacks 1 logs that 1 (${one.url}) has, the first in block 2, index 0.` },
    });
  });

  test('is what two of three say; the third is asked last, named with what it said, and logged once', async () => {
    const chain = chainOf([log()], [log('0x02')]);
    await using one = await serveChain(chain, losing);
    await using two = await serveChain(chain);
    await using three = await serveChain(chain);
    const logged: unknown[] = [];
    const logger: Logger = { ...silentLogger, error: (fields) => void logged.push(fields) };
    const endpoints = open([one, two, three], {}, logger);
    for (let reads = 0; reads < 3; reads += 1) expect((await endpoints.agreedLogs(range))?.logs).toHaveLength(2);
    const [dissenter, ...others] = endpoints.health();
    expect(dissenter?.dissent).toMatch(/^About the logs of blocks 0 to 2 it says: 1 logs, .*; 2 of 3 say: 2 logs, /);
    expect(others.map(({ dissent }) => dissent)).toEqual([undefined, undefined]);
    expect(logged).toEqual([{ endpoint: `1 (${one.url})`, dissent: dissenter?.dissent }]);
    const before = one.asked.length;
    await endpoints.public.getBlockNumber();
    expect(one.asked).toHaveLength(before);
  });

  test('is heard of a dissenter too, whose dissent is forgotten an hour after its last', async () => {
    const chain = chainOf([log()], [log('0x02')]);
    await using one = await serveChain(chain, losing);
    await using two = await serveChain(chain);
    await using three = await serveChain(chain);
    const endpoints = open([one, two, three]);
    await endpoints.agreedLogs(range);
    one.become((_method, _params, honest) => honest());
    three.become(failing);
    expect((await endpoints.agreedLogs(range))?.logs).toHaveLength(2);
    expect(endpoints.health()[0]?.dissent).toBeDefined();
    await clock.advance(3_600_000);
    expect(endpoints.health()[0]?.dissent).toBeUndefined();
  });

  test.each<[string, number, readonly Tweak[], Partial<EndpointsOptions>]>([
    ['one against one', 1, [], {}],
    ['two against two', 2, [losing], {}],
    ['two against one, where all have to say it', 2, [], { quorum: 3 }],
    ['two against one, where one is believed alone', 2, [], { quorum: 1 }],
    ['two that differ in what they lack, against two', 2, [bare], {}],
    ['two against one, while a fourth has not got that far', 2, [lagging], {}],
  ])('is not had at %s', async (_what, honest, others, options) => {
    const chain = chainOf([log()], [log('0x02')]);
    const served = await Promise.all([
      ...Array.from({ length: honest }, () => serveChain(chain)),
      ...[losing, ...others].map((tweak) => serveChain(chain, tweak)),
    ]);
    const endpoints = open(served, options);
    await expect(endpoints.agreedLogs(range)).rejects.toMatchObject({ code: 'CHAIN_DISAGREES' });
    expect(endpoints.health().filter(({ dissent }) => dissent !== undefined)).toEqual([]);
    await Promise.all(served.map((endpoint) => endpoint[Symbol.asyncDispose]()));
  });

  test('is not held up by an endpoint that answers with an error', async () => {
    const chain = chainOf([log()], [log('0x02')]);
    const reverting: Tweak = (method, _params, honest) => {
      if (method === 'eth_chainId') return honest();
      throw new FakeRpcError(3, 'execution reverted');
    };
    await using one = await serveChain(chain, reverting);
    await using two = await serveChain(chain);
    await using three = await serveChain(chain);
    const endpoints = open([one, two, three]);
    expect(await endpoints.agreedBlock(1n)).toMatchObject({ number: 1n });
    expect(endpoints.health()[0]).toMatchObject({ state: 'failing', problem: expect.stringContaining('reverted') });
    expect(await open([one, two, three]).transactionCount(ESCROW, 'latest')).toBe(7n);
  });

  test('does not take an endpoint that lags for one that has no logs', async () => {
    await using one = await serveChain(chainOf([log()], [log()]));
    await using slow = await serveChain(chainOf([log()]));
    await using slower = await serveChain(chainOf());
    await expect(open([one, slow]).agreedLogs(range)).rejects.toMatchObject({
      code: 'CHAIN_UNREACHABLE',
      details: { agreeing: 1, quorum: 2 },
    });
    expect(await open([slow, slower]).agreedLogs(range)).toBeUndefined();
  });

  test('is not had while too few answer', async () => {
    await using one = await serveChain(chainOf([]));
    await using two = await serveChain(chainOf([]), failing);
    await expect(open([one, two]).agreedBlock(1n)).rejects.toMatchObject({ code: 'CHAIN_UNREACHABLE' });
    expect(await open([one, two], { quorum: 1 }).agreedBlock(1n)).toMatchObject({ number: 1n });
  });

  test('tells a range that is refused apart from an endpoint that is down', async () => {
    const modest: Tweak = (method, _params, honest) => {
      if (method === 'eth_getLogs') throw new FakeRpcError(-32005, 'query returned more than 10000 results');
      return honest();
    };
    await using one = await serveChain(chainOf([], []), modest);
    await using two = await serveChain(chainOf([], []));
    await expect(open([one, two]).agreedLogs(range)).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE', retry: 'now' });
  });
});

describe('receipts', () => {
  const HASH: Hex = `0x${'ab'.repeat(32)}`;
  const withReceipt =
    (change: Record<string, unknown> | null = {}, held = true): Tweak =>
    (method, params, honest) => {
      const block = honestBlock(chain.answer('eth_getBlockByNumber', ['0x1']));
      if (method === 'eth_getTransactionReceipt') {
        return change === null ? null : { ...receiptIn(block.hash), ...change };
      }
      const isIt = method === 'eth_getBlockByNumber' && params[0] === '0x1';
      return isIt && held ? { ...block, transactions: [HASH] } : honest();
    };
  const chain = chainOf([], [], []);
  const honestBlock = (block: unknown): { hash: Hex } => Object(block);
  const receiptIn = (blockHash: Hex) => ({
    ...{ transactionHash: HASH, blockHash, blockNumber: '0x1', from: ESCROW, to: ESCROW, status: '0x1' },
    ...{ gasUsed: '0x5208', effectiveGasPrice: '0x7', logs: [] },
  });

  test('are believed where a quorum has the same one, in a block that holds the transaction', async () => {
    await using one = await serveChain(chain, withReceipt());
    await using two = await serveChain(chain, withReceipt());
    expect(await open([one, two]).agreedReceipt(HASH)).toMatchObject({ status: 'success', blockNumber: 1n });
  });

  test.each<[string, Tweak]>([
    ['that one endpoint has lost', withReceipt(null)],
    ['that says otherwise', withReceipt({ status: '0x0' })],
    ['of another block', withReceipt({ blockHash: `0x${'cd'.repeat(32)}` })],
    ['of a block that does not hold the transaction', withReceipt({}, false)],
  ])('a receipt %s is a disagreement', async (_what, tweak) => {
    await using one = await serveChain(chain, withReceipt());
    await using two = await serveChain(chain, tweak);
    await expect(open([one, two]).agreedReceipt(HASH)).rejects.toMatchObject({ code: 'CHAIN_DISAGREES' });
  });

  test.each<[string, Tweak, RegExp]>([
    ['has lost it', withReceipt(null), /it says: none, at block 3; 2 of 3 say: success in block 1/],
    ['says otherwise', withReceipt({ status: '0x0' }), /it says: reverted in block 1/],
    ['contradicts itself', withReceipt({}, false), /its block 1 does not hold it; 2 of 3/],
  ])('are believed of two, though a third %s, and that is remembered', async (_what, tweak, said) => {
    await using one = await serveChain(chain, tweak);
    await using two = await serveChain(chain, withReceipt());
    await using three = await serveChain(chain, withReceipt());
    const endpoints = open([one, two, three]);
    expect(await endpoints.agreedReceipt(HASH)).toMatchObject({ status: 'success', blockNumber: 1n });
    expect(endpoints.health().map(({ dissent }) => dissent)).toEqual([
      expect.stringMatching(said),
      undefined,
      undefined,
    ]);
  });

  test('are not denied by any majority: what one states may have been paid', async () => {
    await using one = await serveChain(chain, withReceipt());
    await using two = await serveChain(chain, withReceipt(null));
    await using three = await serveChain(chain, withReceipt(null));
    const endpoints = open([one, two, three]);
    await expect(endpoints.agreedReceipt(HASH)).rejects.toMatchObject({ code: 'CHAIN_DISAGREES' });
    expect(endpoints.health().some(({ dissent }) => dissent !== undefined)).toBe(false);
  });

  test('of another transaction are refused', async () => {
    await using one = await serveChain(chain, withReceipt({ transactionHash: `0x${'ef'.repeat(32)}` }));
    await expect(open([one]).agreedReceipt(HASH)).rejects.toThrow('it is the receipt of transaction 0xefefef');
  });

  test('are not there where a quorum has none', async () => {
    await using one = await serveChain(chain, withReceipt(null));
    await using two = await serveChain(chain, withReceipt(null));
    expect(await open([one, two]).agreedReceipt(HASH)).toBeUndefined();
  });
});

describe('counting transactions', () => {
  test('neither one that lags nor one that exaggerates decides', async () => {
    const counting =
      (count: string): Tweak =>
      (method, _params, honest) =>
        method === 'eth_getTransactionCount' ? count : honest();
    await using low = await serveChain(chainOf(), counting('0x1'));
    await using middle = await serveChain(chainOf(), counting('0x7'));
    await using high = await serveChain(chainOf(), counting('0xffff'));
    expect(await open([low, middle, high]).transactionCount(ESCROW, 'latest')).toBe(7n);
  });
});
