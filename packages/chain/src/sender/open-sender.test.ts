import { type Hex, parseGwei } from 'viem';
import { describe, expect, test } from 'vitest';
import { type Anvil, anvilPath, COUNTER_CODE, noAnvil, ONCE_CODE, startAnvil } from '../anvil.fixture.ts';
import { serveChain } from '../endpoints/fake-chain.fixture.ts';
import { MOST, openSendBench, TARGET } from './send-bench.fixture.ts';

const call = { to: TARGET, data: '0x' as const };
const mineOne = (anvil: Anvil) => () => anvil.client.mine({ blocks: 1 });
/** Aborts after so many looks at the chain. */
function patience(looks: number) {
  const stop = new AbortController();
  return { signal: stop.signal, meanwhile: async (sleeps: number) => void (sleeps >= looks && stop.abort()) };
}

describe.skipIf(anvilPath === undefined)(
  `sending on a real chain${anvilPath === undefined ? ` (${noAnvil})` : ''}`,
  () => {
    test('carries a call out once, waits until it is deep, and does nothing the second time', async () => {
      await using anvil = await startAnvil();
      using bench = await openSendBench(anvil, COUNTER_CODE);
      const sender = bench.open(mineOne(anvil));
      const sent = await sender.send(call, bench.wish('a'));
      expect(sent).toMatchObject({ by: 'us', receipt: { status: 'success' }, spentWei: await bench.spent() });
      const deep = (await anvil.client.getBlockNumber()) - (sent.receipt?.blockNumber ?? 0n);
      expect(deep).toBeGreaterThanOrEqual(2n);
      expect(await bench.open().send(call, bench.wish('a'))).toMatchObject({ by: 'us', receipt: sent.receipt });
      expect(await bench.count()).toBe(1n);
      expect(sender.status()).toEqual({ open: [], problem: undefined });
      expect(sender.find('a')).toMatchObject({ state: 'done', nonce: 0n });
    });

    test('sends nothing for what is done already, and nothing that the contract refuses', async () => {
      await using anvil = await startAnvil();
      using bench = await openSendBench(anvil, ONCE_CODE);
      const sender = bench.open(mineOne(anvil));
      expect(await sender.send(call, bench.wish('done', { isDone: async () => true }))).toMatchObject({
        by: 'others',
        spentWei: 0n,
      });
      await sender.send(call, bench.wish('first'));
      const refused = sender.send(call, bench.wish('second', { isDone: async () => false }));
      await expect(refused).rejects.toMatchObject({ code: 'CHAIN_REVERTED' });
      expect(sender.find('second')).toMatchObject({ state: 'refused', hashes: [], spentWei: 0n });
      expect(await anvil.client.getTransactionCount({ address: bench.account.address })).toBe(1);
    });

    test('refuses a key that was used for another call', async () => {
      await using anvil = await startAnvil();
      using bench = await openSendBench(anvil, COUNTER_CODE);
      const sender = bench.open(mineOne(anvil));
      await sender.send(call, bench.wish('a'));
      await expect(sender.send({ ...call, data: '0x01' }, bench.wish('a'))).rejects.toMatchObject({ code: 'INTERNAL' });
    });

    test('sends nothing while the fees are beyond what is allowed, and sends later by the same key', async () => {
      await using anvil = await startAnvil();
      using bench = await openSendBench(anvil, COUNTER_CODE);
      await anvil.client.setNextBlockBaseFeePerGas({ baseFeePerGas: parseGwei('5000') });
      await anvil.client.mine({ blocks: 1 });
      const sender = bench.open(mineOne(anvil));
      await expect(sender.send(call, bench.wish('a'))).rejects.toMatchObject({ code: 'FEES_TOO_HIGH', retry: 'later' });
      expect(await anvil.client.getTransactionCount({ address: bench.account.address, blockTag: 'pending' })).toBe(0);
      await anvil.client.setNextBlockBaseFeePerGas({ baseFeePerGas: 1_000n });
      await anvil.client.mine({ blocks: 1 });
      expect(await sender.send(call, bench.wish('a'))).toMatchObject({ by: 'us' });
    });

    test('says that the account has too little, and remembers nothing against the wish', async () => {
      await using anvil = await startAnvil();
      using bench = await openSendBench(anvil, COUNTER_CODE);
      const sender = bench.open(mineOne(anvil));
      const { address } = bench.account;
      await anvil.client.setBalance({ address, value: 1_000n });
      await expect(sender.send(call, bench.wish('a'))).rejects.toMatchObject({ code: 'FUNDS_TOO_LOW' });
      await anvil.client.setBalance({ address, value: 10n ** 18n });
      expect(await sender.send(call, bench.wish('a'))).toMatchObject({ by: 'us' });
    });

    test('pays more when the base fee jumps and leaves it stuck, and never more than it may', async () => {
      await using anvil = await startAnvil();
      using bench = await openSendBench(anvil, COUNTER_CODE);
      await anvil.client.setAutomine(false);
      let jumped = false;
      const sender = bench.open(async (sleeps) => {
        if (!jumped) await anvil.client.setNextBlockBaseFeePerGas({ baseFeePerGas: parseGwei('40') });
        jumped = true;
        if (sleeps % 15 === 0 || sleeps > 200) await anvil.client.mine({ blocks: 1 });
      });
      const { spentWei } = await sender.send(call, bench.wish('a'));
      expect(sender.find('a')?.hashes.length).toBeGreaterThan(1);
      expect(spentWei).toBe(await bench.spent());
      expect(spentWei).toBeLessThanOrEqual(MOST);
      expect(await bench.count()).toBe(1n);
    });

    test('sends again what the pool has dropped', async () => {
      await using anvil = await startAnvil();
      using bench = await openSendBench(anvil, COUNTER_CODE);
      await anvil.client.setAutomine(false);
      let dropped: Hex | undefined;
      const sender = bench.open(async () => {
        const [hash] = sender.find('a')?.hashes ?? [];
        if (hash !== undefined && dropped === undefined) {
          await anvil.client.dropTransaction({ hash });
          dropped = hash;
        }
        await anvil.client.mine({ blocks: 1 });
      });
      const { receipt } = await sender.send(call, bench.wish('a'));
      expect(receipt?.transactionHash).toBe(dropped);
      expect(await bench.count()).toBe(1n);
    });

    test('notices that somebody else has used its nonce, and takes the next one', async () => {
      await using anvil = await startAnvil();
      using bench = await openSendBench(anvil, COUNTER_CODE);
      await anvil.client.setAutomine(false);
      let replaced = false;
      const sender = bench.open(async () => {
        if (!replaced && sender.find('a')?.nonce === 0n) {
          const fees = { maxFeePerGas: parseGwei('200'), maxPriorityFeePerGas: parseGwei('100') };
          const { account } = bench;
          await anvil.client.sendTransaction({
            account,
            chain: null,
            to: account.address,
            nonce: 0,
            gas: 21_000n,
            ...fees,
          });
          replaced = true;
        }
        await anvil.client.mine({ blocks: 1 });
      });
      expect(await sender.send(call, bench.wish('a'))).toMatchObject({ by: 'us' });
      expect(sender.find('a')).toMatchObject({ nonce: 1n });
      expect(await bench.count()).toBe(1n);
    });

    test('sends again what a reorganisation has taken out of the chain', async () => {
      await using anvil = await startAnvil();
      using bench = await openSendBench(anvil, COUNTER_CODE);
      let reorganised = false;
      const seen: string[] = [];
      const sender = bench.open(async () => {
        const state = sender.find('a')?.state ?? '';
        seen.push(state);
        if (state === 'mined' && !reorganised) {
          reorganised = true;
          await anvil.client.setAutomine(false);
          await anvil.reorg(2);
          await anvil.client.dropTransaction({ hash: sender.find('a')?.hashes[0] ?? '0x' }).catch(() => {});
        } else {
          await anvil.client.mine({ blocks: 1 });
        }
      });
      expect(await sender.send(call, bench.wish('a'))).toMatchObject({ by: 'us' });
      expect(reorganised).toBe(true);
      expect(seen.slice(seen.indexOf('mined'))).toContain('signed');
      expect(await bench.count()).toBe(1n);
    });

    test('a lost transaction does not hold up those behind it for ever', async () => {
      await using anvil = await startAnvil();
      using bench = await openSendBench(anvil, COUNTER_CODE);
      await anvil.client.setAutomine(false);
      let isLost = false;
      const sender = bench.open(async () => {
        const [first] = sender.find('a')?.hashes ?? [];
        if (!isLost && first !== undefined && sender.find('b')?.nonce === 1n) {
          await anvil.client.dropTransaction({ hash: first });
          isLost = true;
        }
        await anvil.client.mine({ blocks: 1 });
      });
      const two = async () => (await bench.count()) >= 2n;
      await Promise.all([sender.send(call, bench.wish('a')), sender.send(call, bench.wish('b', { isDone: two }))]);
      expect(isLost).toBe(true);
      expect(await bench.count()).toBe(2n);
    });

    test('what goes wrong with one is not thrown at those who wait for another', async () => {
      await using anvil = await startAnvil();
      using bench = await openSendBench(anvil, COUNTER_CODE);
      await anvil.client.setAutomine(false);
      let looks = 0;
      // Asked before it is sent, and again when it is to be raised.
      const broken = async () => {
        looks += 1;
        if (looks > 1) throw new Error('broken');
        return false;
      };
      const sender = bench.open(async (sleeps) => {
        if (sleeps > 120) await anvil.client.mine({ blocks: 1 });
      });
      const first = sender.send(call, bench.wish('a', { isDone: broken })).catch((thrown: unknown) => thrown);
      const two = async () => (await bench.count()) >= 2n;
      expect(await sender.send(call, bench.wish('b', { isDone: two }))).toMatchObject({ by: 'us' });
      expect(await first).toMatchObject({ code: 'INTERNAL', message: 'broken' });
      expect(looks).toBeGreaterThan(2);
    });

    test('one that may pay no more makes way for those behind it', async () => {
      await using anvil = await startAnvil();
      using bench = await openSendBench(anvil, COUNTER_CODE);
      await anvil.client.setAutomine(false);
      await anvil.client.setNextBlockBaseFeePerGas({ baseFeePerGas: 1_000n });
      await anvil.client.mine({ blocks: 1 });
      const poor = { mostWei: 60_000n * 2_000n, isDone: async () => false };
      let base = 1_000n;
      const sender = bench.open(async () => {
        if (sender.find('b')?.nonce === 1n && base < 2_500n) base = 2_500n;
        await anvil.client.setNextBlockBaseFeePerGas({ baseFeePerGas: base });
        if (base > 1_000n) await anvil.client.mine({ blocks: 1 });
      });
      const first = sender.send(call, bench.wish('a', poor)).catch((thrown: unknown) => thrown);
      await sender.send(call, bench.wish('b'));
      expect(await first).toMatchObject({ code: 'FEES_TOO_HIGH' });
      expect(sender.find('a')?.spentWei).toBeLessThanOrEqual(poor.mostWei);
      expect(sender.find('a')?.spentWei).toBeGreaterThan(0n);
      expect(await bench.count()).toBe(1n);
    });

    test.each([0n, MOST])('nonces that somebody else lost are filled for at most %s wei', async (mostWeiPerFiller) => {
      await using anvil = await startAnvil();
      using bench = await openSendBench(anvil, COUNTER_CODE);
      // States two more than were mined, until the first is signed.
      await using served = await serveChain(anvil, async (method, _params, honest) => {
        const said = await honest();
        return method === 'eth_getTransactionCount' && sender.find('a')?.nonce === undefined ? '0x2' : said;
      });
      const { signal, meanwhile } = patience(150);
      const sender = bench.open(
        async (sleeps) => {
          await meanwhile(sleeps);
          await anvil.client.mine({ blocks: 1 });
        },
        { urls: [served.url], mostWeiPerFiller },
      );
      const outcome = await sender.send(call, bench.wish('a', { signal })).catch((thrown: unknown) => thrown);
      if (mostWeiPerFiller > 0n) {
        expect(outcome).toMatchObject({ by: 'us' });
        expect(sender.find('a')).toMatchObject({ nonce: 2n });
      } else {
        expect(outcome).toMatchObject({ code: 'CANCELLED' });
        expect(sender.status().problem).toMatchObject({ code: 'TIMED_OUT', details: { from: 0n, to: 2n } });
      }
    });

    test('what reverts only once it is mined ends with what it cost', async () => {
      await using anvil = await startAnvil();
      using bench = await openSendBench(anvil, ONCE_CODE);
      await anvil.client.setAutomine(false);
      const sender = bench.open(async () => {
        // Somebody else was quicker, in the same block.
        await anvil.client.setStorageAt({ address: TARGET, index: '0x0', value: `0x${'0'.repeat(63)}1` });
        await anvil.client.mine({ blocks: 1 });
      });
      const sending = sender.send(call, bench.wish('a', { isDone: async () => false }));
      const thrown = await sending.catch((error: unknown) => error);
      expect(thrown).toMatchObject({ code: 'CHAIN_REVERTED', details: { spentWei: await bench.spent() } });
      expect(sender.find('a')).toMatchObject({ state: 'reverted', spentWei: await bench.spent() });
      expect(await bench.spent()).toBeGreaterThan(0n);
    });
  },
);
