import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LatentError } from '@latent/protocol';
import type { Benchmark, BenchmarkOptions, Row } from './harness/benchmark.ts';
import { percentile } from './harness/percentile.ts';
import { type HelperProcess, startHelper } from './links/helper-process.ts';
import { BOOK_FLAGS, look } from './links/look.ts';

const ROUNDS = 3;
const ROUND_MS = 5_000;
const MIB = 1024 * 1024;
const KINDS = [
  { name: '1 pair, frames of 64 KiB', pairs: 1, frameBytes: 64 * 1024 },
  { name: '8 pairs, frames of 64 KiB', pairs: 8, frameBytes: 64 * 1024 },
  { name: '1 pair, frames of 1 KiB', pairs: 1, frameBytes: 1024 },
] as const;

/** What a book relays, and whether it is there for others meanwhile. */
export const relay: Benchmark = {
  name: 'relay',
  summary: 'what a book relays between peers, what it costs it, and how soon it answers others meanwhile',
  async run(options) {
    const { signal } = options;
    const dataDir = await mkdtemp(join(tmpdir(), 'latent-bench-relay-'));
    const started: HelperProcess[] = [];
    try {
      const book = await startHelper('book-process.ts', { dataDir }, { signal, flags: BOOK_FLAGS });
      started.push(book);
      if (book.ready.kind !== 'ready') throw new LatentError('INTERNAL', 'The book did not tell where it is.');
      const pairs = await startHelper('pairs-process.ts', { url: book.ready.url }, { signal });
      started.push(pairs);
      return await measure({ book, pairs, url: book.ready.url }, options);
    } finally {
      await Promise.all(started.map((one) => one.end()));
      await rm(dataDir, { recursive: true, force: true });
    }
  },
};

interface Measuring {
  readonly book: HelperProcess;
  readonly pairs: HelperProcess;
  readonly url: string;
}

async function measure(measuring: Measuring, options: BenchmarkOptions) {
  const { runs = ROUNDS, signal, onProgress } = options;
  const rounds = KINDS.map((kind) => ({ kind, rates: [] as number[], costs: [] as number[], answers: [] as number[] }));
  const idle: number[] = [];
  // Round 0 warms up.
  for (let round = 0; round <= runs; round += 1) {
    onProgress(`round ${round} of ${runs}`);
    const quiet = await timeAnswers(measuring.url, sleep(ROUND_MS / 2), signal);
    if (round > 0) idle.push(...quiet);
    for (const { kind, rates, costs, answers } of rounds) {
      const { mibPerSecond, cpuMsPerMib, answered } = await relayOnce(measuring, kind, signal);
      if (round === 0) continue;
      rates.push(mibPerSecond);
      costs.push(cpuMsPerMib);
      answers.push(...answered);
    }
  }
  const row = (name: string, figures: readonly (number | null)[], answers: readonly number[]): Row => ({
    name,
    figures: [...figures, percentile(answers, 50), percentile(answers, 95), percentile(answers, 100)],
  });
  return {
    tables: [
      {
        title: 'Relayed by one book',
        columns: [
          { name: 'p50', unit: 'MiB/s' },
          { name: 'CPU of the book', unit: 'ms/MiB' },
          { name: 'status answered, p50', unit: 'ms' },
          { name: 'p95', unit: 'ms' },
          { name: 'most', unit: 'ms' },
        ],
        rows: [
          row('nothing', [null, null], idle),
          ...rounds.map(({ kind, rates, costs, answers }) =>
            row(kind.name, [percentile(rates, 50), percentile(costs, 50)], answers),
          ),
        ],
      },
    ],
    aims: [],
    notes: [
      `${runs} rounds of ${ROUND_MS / 1_000} s after one to warm up, without limits to the rate. All peers are one process, the book another, on loopback: on two cores the peers are the slower side.`,
      'Each pair has 4 MiB under way. A byte is counted once, though the book receives and sends it.',
      'Meanwhile GET /v1/status is asked every 20 ms, on a connection that stays.',
    ],
  };
}

async function relayOnce({ book, pairs, url }: Measuring, kind: (typeof KINDS)[number], signal: AbortSignal) {
  const before = await look(book);
  const relayed = pairs.ask({ kind: 'relay', pairs: kind.pairs, frameBytes: kind.frameBytes, ms: ROUND_MS });
  const answered = await timeAnswers(url, relayed, signal);
  const note = await relayed;
  const after = await look(book);
  if (note.kind !== 'relayed') throw new LatentError('INTERNAL', `The pairs told "${note.kind}".`);
  const mib = note.bytes / MIB;
  return { mibPerSecond: (1_000 * mib) / note.ms, cpuMsPerMib: (after.cpuMs - before.cpuMs) / mib, answered };
}

/** How long the book takes to answer, again and again until `over`, in ms. */
async function timeAnswers(url: string, over: Promise<unknown>, signal: AbortSignal): Promise<readonly number[]> {
  const times: number[] = [];
  let isOver = false;
  const ended = over.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const before = performance.now();
    const answer = await fetch(new URL('/v1/status', url), { signal });
    await answer.arrayBuffer();
    times.push(performance.now() - before);
    await sleep(20, undefined, { signal });
  }
  await ended;
  return times;
}
