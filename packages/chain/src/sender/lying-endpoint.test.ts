import { describe, expect, test } from 'vitest';
import { type Anvil, anvilPath, COUNTER_CODE, NOTHING_CODE, startAnvil } from '../anvil.fixture.ts';
import { serveChain } from '../endpoints/fake-chain.fixture.ts';
import { openSendBench, TARGET } from './send-bench.fixture.ts';

const call = { to: TARGET, data: '0x' as const };
const mineOne = (anvil: Anvil) => () => anvil.client.mine({ blocks: 1 });
/** Aborts after so many looks at the chain. */
function patience(looks: number) {
  const stop = new AbortController();
  return { signal: stop.signal, meanwhile: async (sleeps: number) => void (sleeps >= looks && stop.abort()) };
}

describe.skipIf(anvilPath === undefined)('an endpoint that lies', () => {
  test('about nothing but losing receipts does not get the call carried out twice', async () => {
    await using anvil = await startAnvil();
    using bench = await openSendBench(anvil, COUNTER_CODE);
    await using served = await serveChain(anvil, (method, _params, honest) =>
      method === 'eth_getTransactionReceipt' ? null : honest(),
    );
    const sender = bench.open(mineOne(anvil), { urls: [served.url] });
    expect(await sender.send(call, bench.wish('a'))).toMatchObject({ by: 'others', receipt: undefined });
    expect(await bench.count()).toBe(1n);
    expect(sender.find('a')?.spentWei).toBeGreaterThanOrEqual(await bench.spent());
  });

  test.each<[string, (honest: Record<string, unknown>) => unknown]>([
    ['gives the receipt of another transaction', (honest) => ({ ...honest, transactionHash: `0x${'ab'.repeat(32)}` })],
    ['names another block', (honest) => ({ ...honest, blockHash: `0x${'ab'.repeat(32)}`, logs: [] })],
    ['names another sender', (honest) => ({ ...honest, from: TARGET })],
  ])('and %s is not believed', async (_what, tweak) => {
    await using anvil = await startAnvil();
    using bench = await openSendBench(anvil, COUNTER_CODE);
    await using served = await serveChain(anvil, async (method, _params, honest) => {
      const said = await honest();
      return method === 'eth_getTransactionReceipt' && said !== null ? tweak(Object(said)) : said;
    });
    const { signal, meanwhile } = patience(20);
    const sender = bench.open(meanwhile, { urls: [served.url] });
    await expect(sender.send(call, bench.wish('a', { signal }))).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(sender.find('a')?.state).toBe('signed');
    expect(sender.status().problem?.code).toMatch(/CHAIN_DISAGREES|CHAIN_UNREACHABLE/);
    // Honest again: nothing is sent a second time.
    const again = bench.open(mineOne(anvil));
    expect(await again.send(call, bench.wish('a'))).toMatchObject({ by: 'us' });
    expect(await bench.count()).toBe(1n);
  });

  test('and makes up that a transaction it never passed on was mined is not believed', async () => {
    await using anvil = await startAnvil();
    using bench = await openSendBench(anvil, COUNTER_CODE);
    await using served = await serveChain(anvil, async (method, [first], honest) => {
      if (method === 'eth_sendRawTransaction') return sender.find('a')?.hashes[0] ?? null;
      if (method === 'eth_getTransactionCount') return sender.find('a')?.nonce === undefined ? '0x0' : '0x1';
      if (method !== 'eth_getTransactionReceipt') return honest();
      const block = Object(await anvil.answer('eth_getBlockByNumber', ['0x1', false]));
      return {
        ...{
          transactionHash: first,
          blockHash: block.hash,
          blockNumber: '0x1',
          from: bench.account.address,
          to: TARGET,
        },
        ...{ status: '0x1', gasUsed: '0x5208', effectiveGasPrice: '0x1', logs: [] },
      };
    });
    await anvil.client.mine({ blocks: 5 });
    const { signal, meanwhile } = patience(20);
    const sender = bench.open(meanwhile, { urls: [served.url] });
    await expect(sender.send(call, bench.wish('a', { signal }))).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(sender.status().problem).toMatchObject({ code: 'CHAIN_DISAGREES' });
  });

  test('success without effect is called that', async () => {
    await using anvil = await startAnvil();
    using bench = await openSendBench(anvil, NOTHING_CODE);
    const sender = bench.open(mineOne(anvil));
    await expect(sender.send(call, bench.wish('a'))).rejects.toMatchObject({
      code: 'CHAIN_NO_EFFECT',
      details: { hash: sender.find('a')?.hashes[0] ?? expect.anything() },
    });
    expect(sender.find('a')).toMatchObject({ state: 'ineffective', spentWei: await bench.spent() });
  });

  test.each<[string, (honest: Record<string, unknown> | null) => unknown]>([
    ['loses receipts', () => null],
    ['says that it reverted', (honest) => honest && { ...honest, status: '0x0' }],
  ])('and %s holds up nothing where two others agree', async (_what, tweak) => {
    await using anvil = await startAnvil();
    using bench = await openSendBench(anvil, COUNTER_CODE);
    await using second = await serveChain(anvil);
    await using liar = await serveChain(anvil, async (method, _params, honest) => {
      const said = await honest();
      return method === 'eth_getTransactionReceipt' ? tweak(said === null ? null : Object(said)) : said;
    });
    const sender = bench.open(mineOne(anvil), { urls: [liar.url, anvil.url, second.url] });
    expect(await sender.send(call, bench.wish('a'))).toMatchObject({ by: 'us', spentWei: await bench.spent() });
    const again = bench.wish('b', { isDone: async () => (await bench.count()) > 1n });
    expect(await sender.send(call, again)).toMatchObject({ by: 'us', receipt: { status: 'success' } });
    expect(sender.status()).toEqual({ open: [], problem: undefined });
    expect(await bench.count()).toBe(2n);
  });

  test('and makes up a receipt of an attempt holds up nothing: another one has used the nonce', async () => {
    await using anvil = await startAnvil();
    using bench = await openSendBench(anvil, COUNTER_CODE);
    await using second = await serveChain(anvil);
    await anvil.client.setAutomine(false);
    const sent: unknown[] = [];
    const replacing = () => sender.find('a')?.hashes[1];
    await using liar = await serveChain(anvil, async (method, [first], honest) => {
      if (method === 'eth_sendRawTransaction') sent.push(first);
      const isZero = method === 'eth_getBlockByNumber' && first === '0x0';
      if (isZero) return { ...Object(await honest()), transactions: [replacing()] };
      if (method !== 'eth_getTransactionReceipt' || first !== replacing()) return honest();
      const { hash: blockHash } = Object(await anvil.answer('eth_getBlockByNumber', ['0x0', false]));
      return {
        ...{ transactionHash: first, blockHash, blockNumber: '0x0', from: bench.account.address, to: TARGET },
        ...{ status: '0x1', gasUsed: '0x5208', effectiveGasPrice: '0x1', logs: [] },
      };
    });
    const sender = bench.open(
      async () => {
        const hash = replacing();
        if (hash === undefined) return;
        // The pool has kept the first one instead.
        if ((await anvil.client.getTransactionCount({ address: bench.account.address })) === 0) {
          await anvil.client.dropTransaction({ hash });
          await anvil.answer('eth_sendRawTransaction', [sent[0]]);
        }
        await anvil.client.mine({ blocks: 1 });
      },
      { urls: [liar.url, anvil.url, second.url] },
    );
    expect(await sender.send(call, bench.wish('a'))).toMatchObject({
      by: 'us',
      receipt: { transactionHash: sender.find('a')?.hashes[0] ?? expect.anything() },
    });
    expect(sender.status().problem).toBeUndefined();
    expect(await bench.count()).toBe(1n);
  });

  test('one of two that loses receipts is found out, and nothing is decided', async () => {
    await using anvil = await startAnvil();
    using bench = await openSendBench(anvil, COUNTER_CODE);
    await using served = await serveChain(anvil, (method, _params, honest) =>
      method === 'eth_getTransactionReceipt' ? null : honest(),
    );
    const { signal, meanwhile } = patience(20);
    const sender = bench.open(meanwhile, { urls: [anvil.url, served.url] });
    await expect(sender.send(call, bench.wish('a', { signal }))).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(sender.status().problem).toMatchObject({ code: 'CHAIN_DISAGREES' });
    expect(await bench.count()).toBe(1n);
  });
});
