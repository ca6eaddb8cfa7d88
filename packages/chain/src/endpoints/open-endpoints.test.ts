import { createManualClock, silentLogger } from '@latent/kit';
import { type Address, type Hex, keccak256, stringToHex } from 'viem';
import { describe, expect, test } from 'vitest';
import type { Endpoints, EndpointsOptions } from './endpoints.ts';
import { createFakeChain, type FakeEndpoint, FakeRpcError, serveChain, type Tweak } from './fake-chain.fixture.ts';
import { openEndpoints } from './open-endpoints.ts';

const ESCROW: Address = '0x1111111111111111111111111111111111111111';
const TOPIC: Hex = keccak256(stringToHex('Something()'));
const log = (data: Hex = '0x01') => ({ address: ESCROW, topics: [TOPIC], data });
const clock = createManualClock(1_800_000_000_000);

function open(served: readonly Pick<FakeEndpoint, 'url'>[], options: Partial<EndpointsOptions> = {}): Endpoints {
  return openEndpoints(
    { chainId: 31_337, urls: served.map(({ url }) => url), timeoutMs: 2_000, ...options },
    { clock, logger: silentLogger },
  );
}

const failing: Tweak = () => {
  throw new Error('down');
};

function chainOf(...blocks: readonly (readonly ReturnType<typeof log>[])[]) {
  const chain = createFakeChain();
  for (const logs of blocks) chain.mine(logs);
  return chain;
}

const range = { addresses: [ESCROW], from: 0n, to: 2n };

describe('one after the other', () => {
  test('the next endpoint is asked where one fails, and the failed one is left alone until its time has come', async () => {
    const chain = chainOf([], []);
    await using one = await serveChain(chain, failing);
    await using two = await serveChain(chain);
    const endpoints = open([one, two]);
    expect(await endpoints.public.getBlockNumber()).toBe(2n);
    expect(endpoints.health()[0]).toMatchObject({ state: 'failing', failures: 1, retryAtMs: clock.nowMs() + 1_000 });
    one.become((_method, _params, honest) => honest());
    const before = one.asked.length;
    await endpoints.public.getBlockNumber();
    expect(one.asked.length).toBe(before);
    await clock.advance(1_000);
    await endpoints.public.getBlockNumber();
    expect(one.asked.slice(before)).toEqual(['eth_chainId', 'eth_blockNumber']);
    expect(endpoints.health()[0]).toMatchObject({ state: 'well', failures: 0 });
  });

  test('one endpoint alone is asked again, however often it failed', async () => {
    await using one = await serveChain(chainOf(), failing);
    const endpoints = open([one]);
    await expect(endpoints.onOne((endpoint) => endpoint.block('latest'))).rejects.toMatchObject({
      code: 'CHAIN_UNREACHABLE',
    });
    one.become((_method, _params, honest) => honest());
    expect(await endpoints.agreedBlock(0n)).toMatchObject({ number: 0n });
    expect(endpoints.quorum).toBe(1);
  });

  test('an endpoint that does not answer is given up after its time', async () => {
    await using one = await serveChain(chainOf(), () => new Promise(() => {}));
    await using two = await serveChain(chainOf([]));
    const endpoints = open([one, two], { timeoutMs: 50 });
    expect(await endpoints.public.getBlockNumber()).toBe(1n);
    expect(endpoints.health()[0]?.problem).toContain('did not answer within 0.05 s');
  });

  test('an endpoint of another chain is never believed', async () => {
    const other = createFakeChain(1);
    await using wrong = await serveChain(other);
    await using right = await serveChain(chainOf([]));
    const endpoints = open([wrong, right]);
    expect(await endpoints.public.getBlockNumber()).toBe(1n);
    expect(endpoints.health()[0]).toMatchObject({ state: 'wrong-chain' });
    await expect(open([wrong]).public.getBlockNumber()).rejects.toThrow('serves chain 1, not chain 31337');
    await expect(open([wrong]).onOne((endpoint) => endpoint.block(0n))).rejects.toMatchObject({ code: 'CHAIN_WRONG' });
  });

  test("the chain's own answer is not taken for a failure of the endpoint", async () => {
    const refusing: Tweak = (method, _params, honest) => {
      if (method !== 'eth_call') return honest();
      throw new FakeRpcError(3, 'execution reverted');
    };
    await using one = await serveChain(chainOf(), refusing);
    await using two = await serveChain(chainOf());
    const endpoints = open([one, two]);
    await expect(endpoints.public.call({ to: ESCROW })).rejects.toThrow('execution reverted');
    expect(two.asked).toEqual([]);
    expect(endpoints.health()[0]?.state).toBe('well');
  });

  test('all of a piece of work is done at one endpoint', async () => {
    const chain = chainOf([]);
    let answers = 0;
    const failsAtTheSecond: Tweak = (method, _params, honest) => {
      if (method === 'eth_getBlockByNumber') answers += 1;
      if (answers > 1) throw new Error('down');
      return honest();
    };
    await using one = await serveChain(chain, failsAtTheSecond);
    await using two = await serveChain(chain);
    const names = await open([one, two]).onOne(async (endpoint) => {
      await endpoint.block(0n);
      await endpoint.block(1n);
      return endpoint.name;
    });
    expect(names).toBe(`2 (${two.url})`);
    expect(two.asked.filter((method) => method === 'eth_getBlockByNumber')).toHaveLength(2);
  });

  test('an answer longer than the limit is not read to its end', async () => {
    const endless: Tweak = (method, _params, honest) => (method === 'eth_chainId' ? honest() : 'x'.repeat(100_000));
    await using one = await serveChain(chainOf(), endless);
    await expect(open([one], { maxAnswerBytes: 5_000 }).onOne((it) => it.block(0n))).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
      details: { maxBytes: 5_000 },
    });
  });

  test.each<[string, unknown]>([
    ['no block', { number: '0x0' }],
    ['a text', 'no'],
    [
      'a block of another number',
      { ...Object(createFakeChain().answer('eth_getBlockByNumber', ['0x0'])), number: '0x5' },
    ],
  ])('%s instead of a block is refused', async (_what, answer) => {
    await using one = await serveChain(chainOf(), (method, _params, honest) =>
      method === 'eth_getBlockByNumber' ? answer : honest(),
    );
    await expect(open([one]).onOne((it) => it.block(0n))).rejects.toMatchObject({ code: 'CHAIN_UNREACHABLE' });
  });

  test('logs that were not asked for are refused', async () => {
    const chain = chainOf([log()]);
    const asked = { ...range, addresses: ['0x2222222222222222222222222222222222222222'] as const, to: 1n };
    await using one = await serveChain(chain, (method, _params, honest) =>
      method === 'eth_getLogs'
        ? chain.answer('eth_getLogs', [{ address: [ESCROW], fromBlock: '0x0', toBlock: '0x1' }])
        : honest(),
    );
    await expect(open([one]).onOne((it) => it.logs(asked))).rejects.toThrow('which was not asked for');
    await expect(open([one]).onOne((it) => it.logs({ ...range, from: 2n }))).rejects.toThrow('not from 2 to 2');
  });

  test('no message and no state holds the path of a URL, where keys are', async () => {
    await using one = await serveChain(chainOf(), failing);
    const endpoints = open([{ url: `${one.url}/v3/secret-key` }, { url: 'http://127.0.0.1:1/secret-key' }]);
    const thrown = await endpoints.public.getBlockNumber().catch((error: unknown) => error);
    expect(String(thrown)).toContain('2 (http://127.0.0.1:1) does not answer');
    expect(`${thrown} ${JSON.stringify(thrown)} ${JSON.stringify(endpoints.health())}`).not.toContain('secret-key');
  });

  test.each([
    [[], undefined],
    [['ftp://a.example'], undefined],
    [['http://a.example', 'http://a.example'], undefined],
    [['http://a.example'], 2],
  ])('endpoints %j with a quorum of %s are refused', (urls, quorum) => {
    expect(() =>
      openEndpoints({ chainId: 1, urls, ...(quorum === undefined ? {} : { quorum }) }, { clock, logger: silentLogger }),
    ).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});

describe('heads', () => {
  test('an endpoint that lags is noticed, and asked last', async () => {
    const chain = chainOf([], [], [], [], [], []);
    await using slow = await serveChain(chainOf([]));
    await using quick = await serveChain(chain);
    const endpoints = open([slow, quick]);
    const [first] = await endpoints.check();
    expect(first).toMatchObject({ head: 1n, lagBlocks: 5n });
    expect(await endpoints.public.getBlockNumber()).toBe(6n);
  });
});

describe('sending', () => {
  const sending =
    (answer: () => unknown): Tweak =>
    (method, _params, honest) =>
      method === 'eth_sendRawTransaction' ? answer() : honest();
  const refuse = (message: string) => () => {
    throw new FakeRpcError(-32000, message);
  };
  const signed: Hex = '0x02c0';

  test('goes to all endpoints; one that had it already has taken it', async () => {
    await using one = await serveChain(chainOf(), sending(refuse('already known')));
    await using two = await serveChain(
      chainOf(),
      sending(() => keccak256(signed)),
    );
    await using three = await serveChain(chainOf(), sending(refuse('nonce too low')));
    expect(await open([one, two, three]).broadcast(signed)).toEqual({
      hash: keccak256(signed),
      accepted: 2,
      refusals: [{ endpoint: `3 (${three.url})`, message: 'nonce too low' }],
    });
  });

  test('an endpoint that says it took another transaction has not taken ours', async () => {
    await using one = await serveChain(
      chainOf(),
      sending(() => TOPIC),
    );
    expect(await open([one]).broadcast(signed)).toMatchObject({ accepted: 0 });
  });

  test('is an error when nobody could be asked', async () => {
    await using one = await serveChain(chainOf(), failing);
    await expect(open([one]).broadcast(signed)).rejects.toMatchObject({ code: 'CHAIN_UNREACHABLE' });
  });
});
