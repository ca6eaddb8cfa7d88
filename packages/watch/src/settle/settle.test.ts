import {
  type Endpoint,
  type Endpoints,
  openEndpoints,
  type Sender,
  type SendOutcome,
  type SentRecord,
} from '@latent/chain';
import { silentLogger, systemClock } from '@latent/kit';
import { LatentError, leaseEscrowAbi } from '@latent/protocol';
import { decodeFunctionData, type Hex, isHex, numberToHex, pad } from 'viem';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { followedLease, OPENED_AT, voucherOf } from '../lease.fixture.ts';
import { openWatchBench, type WatchBench } from '../watch-bench.fixture.ts';
import { carryOutDeed, dropUnsent } from './carry-out-deed.ts';
import type { Deed } from './deed-store.ts';
import { forgetClosed } from './forget-closed.ts';
import { lookOnce } from './look-once.ts';

const callSchema = z.object({ data: z.string().refine((text): text is Hex => isHex(text)) });

interface ChainMood {
  /** Salts of leases whose rows the contract would skip. */
  readonly bad?: readonly bigint[];
  /** No more rows than this go through at once. */
  readonly mostTogether?: number;
  readonly weiPerGas?: bigint;
  /** What endpoints say of a row, one by one; all say the truth unless given. */
  readonly liars?: number;
}

/** Three endpoints that simulate as the contract would. */
function simulating({ bad = [], mostTogether = 99, weiPerGas = 50_000_000n, liars = 0 }: ChainMood): Endpoints {
  const answer = (method: string, params: readonly unknown[]): unknown => {
    if (method === 'eth_maxPriorityFeePerGas') return '0x0';
    if (method === 'eth_estimateGas') return numberToHex(80_000n);
    if (method !== 'eth_call') throw new Error(`asked for ${method}`);
    const { args } = decodeFunctionData({ abi: leaseEscrowAbi, data: callSchema.parse(params[0]).data });
    const rows = z.array(z.object({ order: z.object({ salt: z.bigint() }) })).parse(args?.[0]);
    const good = rows.filter(({ order }) => !bad.includes(order.salt)).length;
    return pad(numberToHex(rows.length > mostTogether ? rows.length - 1 : good));
  };
  const endpointAt = (index: number): Endpoint => ({
    name: `${index}`,
    request: async (method, params) => (method === 'eth_call' && index < liars ? pad('0x0') : answer(method, params)),
    block: async () => ({
      ...{ number: 1n, hash: pad('0x1'), parentHash: pad('0x2'), timestamp: 1, logsBloom: '0x', transactions: [] },
      baseFeePerGas: weiPerGas,
    }),
    logs: async () => [],
    blockLogs: async () => undefined,
    receipt: async () => undefined,
    transactionCount: async () => 0n,
  });
  return {
    ...openEndpoints({ chainId: 31_337, urls: ['http://127.0.0.1:1'] }, { clock: systemClock, logger: silentLogger }),
    onOne: (work) => work(endpointAt(2)),
    agree: async ({ work, what }) => {
      const answers = await Promise.all([0, 1, 2].map((index) => work(endpointAt(index))));
      const there = answers.filter((one) => one !== undefined);
      if (there.length >= 2) return there[0];
      if (there.length === 0) return undefined;
      throw new LatentError('CHAIN_UNREACHABLE', `too few state ${what}`, { details: { agreeing: there.length } });
    },
  };
}

/** Leases that have ended, each with a voucher worth $0.05. */
function fill(bench: WatchBench, count: number) {
  const leases = Array.from({ length: count }, (_, index) =>
    followedLease({ salt: BigInt(index + 1), stopAt: OPENED_AT + 100 }),
  );
  bench.chain.latest = [...leases];
  bench.chain.seconds = OPENED_AT + 2_000;
  for (const lease of leases) bench.context.papers.setVouchers(lease.leaseId, [voucherOf(lease, [50n, 50n])]);
  return leases;
}

const idsOf = (deeds: readonly Deed[]) => deeds.map(({ rows }) => rows.map(({ leaseId }) => leaseId));

describe('a look at the leases', () => {
  it('writes one deed for all rows that are good, and remembers those that are not', async () => {
    await using bench = await openWatchBench({}, { endpoints: simulating({ bad: [2n] }) });
    const leases = fill(bench, 4);
    const good = leases.filter((_, index) => index !== 1).map(({ leaseId }) => leaseId);
    expect(idsOf(await lookOnce(bench.context, 0))).toEqual([good]);
    // Those under way wait, and the bad one rests, also in the next life of the process.
    const next = bench.restart();
    expect(await lookOnce(next, 0)).toEqual([]);
    expect(next.deeds.open()).toHaveLength(1);
  });

  it('sends what goes through together, and the rest later', async () => {
    await using bench = await openWatchBench({}, { endpoints: simulating({ mostTogether: 2 }) });
    const leases = fill(bench, 4);
    const seen: string[] = [];
    for (let look = 0; look < 4; look += 1) seen.push(...idsOf(await lookOnce(bench.context, 0)).flat());
    expect(seen.sort()).toEqual(leases.map(({ leaseId }) => leaseId).sort());
  });

  it('asks for nothing and does nothing when gas costs more than it saves, and does when it is cheaper', async () => {
    await using bench = await openWatchBench({}, { endpoints: simulating({ weiPerGas: 10_000_000_000n }) });
    fill(bench, 1);
    // 80,000 gas at 10 gwei are $2.40; the voucher is worth five cents.
    expect(await lookOnce(bench.context, 0)).toEqual([]);
    const cheap = { ...bench.context, endpoints: simulating({}) };
    const [deed] = await lookOnce(cheap, 0);
    expect(deed?.worth).toBe(50_000n);
    expect(((deed?.mostWei ?? 0n) * 3_000_000_000n) / 10n ** 18n).toBeLessThanOrEqual(50_000n);
  });

  it('stays within the budget of the day, with what is under way counted', async () => {
    const budgetWeiPerDay = '9000000000000';
    await using bench = await openWatchBench({ budgetWeiPerDay }, { endpoints: simulating({}) });
    fill(bench, 6);
    // 4,500,000,000,000 wei for a row's own gas and the transaction: some fit, not all.
    const [deed] = await lookOnce(bench.context, 0);
    expect(deed?.mostWei).toBeLessThanOrEqual(9_000_000_000_000n);
    expect(await lookOnce(bench.context, 0)).toEqual([]);
    expect(bench.context.deeds.spentSince(0)).toBeLessThanOrEqual(9_000_000_000_000n);
  });

  it('is not kept from what is due by endpoints that say it cannot be done', async () => {
    for (const liars of [1, 2]) {
      await using bench = await openWatchBench({}, { endpoints: simulating({ liars }) });
      fill(bench, 1);
      expect(await lookOnce(bench.context, 0)).toHaveLength(1);
    }
  });
});

/** Sends as it is told, one outcome after the other. */
function sending(
  outcomes: readonly (SendOutcome | LatentError)[],
  found?: Partial<SentRecord>,
): Sender & { readonly keys: string[] } {
  const left = [...outcomes];
  const keys: string[] = [];
  return {
    keys,
    send: async (_call, { idempotencyKey }) => {
      keys.push(idempotencyKey);
      const next = left.shift();
      if (next === undefined) throw new Error('sent too often');
      if (next instanceof LatentError) throw next;
      return next;
    },
    tend: async () => undefined,
    find: (idempotencyKey) =>
      found === undefined
        ? undefined
        : {
            ...{ idempotencyKey, state: 'signed', call: { to: '0x', data: '0x' }, nonce: 0n, hashes: [], mostWei: 0n },
            ...{ spentWei: 0n, problem: undefined, createdAtMs: 0, ...found },
          },
    status: () => ({ open: [], problem: undefined }),
  };
}

const done: SendOutcome = { by: 'us', receipt: undefined, spentWei: 7n };
const failure = (code: 'CHAIN_UNREACHABLE' | 'CHAIN_NO_EFFECT' | 'FEES_TOO_HIGH') => new LatentError(code, 'So it is.');

async function carry(bench: WatchBench, sender: Sender) {
  const [deed] = await lookOnce(bench.context, 0);
  if (deed === undefined) throw new Error('nothing was decided');
  const ended = carryOutDeed({ ...bench.context, sender }, deed);
  for (let second = 0; second < 100; second += 1) await bench.clock.advance(1_000);
  await ended;
  return bench.context.deeds.recent(1)[0];
}

describe('carrying out a deed', () => {
  it('goes on by the same key while the chain does not answer', async () => {
    await using bench = await openWatchBench({}, { endpoints: simulating({}) });
    fill(bench, 1);
    const sender = sending([failure('CHAIN_UNREACHABLE'), failure('CHAIN_UNREACHABLE'), done]);
    expect(await carry(bench, sender)).toMatchObject({ state: 'done', spentWei: 7n });
    expect(new Set(sender.keys).size).toBe(1);
  });

  it('ends when it came to nothing, with what it cost, and lets its leases rest', async () => {
    await using bench = await openWatchBench({}, { endpoints: simulating({}) });
    fill(bench, 1);
    const sender = sending([failure('CHAIN_NO_EFFECT')], { spentWei: 5n });
    expect(await carry(bench, sender)).toMatchObject({
      state: 'failed',
      spentWei: 5n,
      problem: 'CHAIN_NO_EFFECT: So it is.',
    });
    const [first] = bench.context.deeds.recent(1);
    expect(bench.context.deeds.isBad(first!.rows[0]!.mark, bench.clock.nowMs() - 90_000)).toBe(true);
  });

  it('does not let go of a transaction that may still be mined', async () => {
    await using bench = await openWatchBench({}, { endpoints: simulating({}) });
    fill(bench, 1);
    const sender = sending([failure('FEES_TOO_HIGH'), done], { hashes: [pad('0x1')] });
    expect(await carry(bench, sender)).toMatchObject({ state: 'done' });
    await using other = await openWatchBench({}, { endpoints: simulating({}) });
    fill(other, 1);
    expect(await carry(other, sending([failure('FEES_TOO_HIGH')]))).toMatchObject({ state: 'failed' });
  });

  it('decides anew on what was never sent before the process was killed', async () => {
    await using bench = await openWatchBench({}, { endpoints: simulating({}) });
    fill(bench, 2);
    expect(await lookOnce(bench.context, 0)).toHaveLength(1);
    const next = bench.restart();
    dropUnsent(next);
    expect(next.deeds.spentSince(0)).toBe(0n);
    expect(await lookOnce(next, 0)).toHaveLength(1);
    const known = { ...next, sender: sending([], {}) };
    dropUnsent(known);
    expect(next.deeds.open()).toHaveLength(1);
  });
});

describe('what is forgotten', () => {
  it('is papers of leases that are closed for good, and vouchers from before a change that is', async () => {
    await using bench = await openWatchBench();
    const [closed, open] = fill(bench, 2);
    const { papers } = bench.context;
    papers.setVouchers(open!.leaseId, [voucherOf(open!, [1n]), voucherOf(open!, [2n, 2n])]);
    bench.chain.latest = [{ ...closed!, state: 'closed' }, open!];
    forgetClosed(bench.context);
    expect(papers.counts()).toMatchObject({ leases: 2, vouchers: 3 });
    bench.chain.confirmed = [...bench.chain.latest];
    forgetClosed(bench.context);
    expect(papers.leases()).toEqual([open!.leaseId]);
    expect(papers.of(open!.leaseId).vouchers.map(({ units }) => units)).toEqual([[2n, 2n]]);
  });
});
