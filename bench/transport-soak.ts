import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LatentError } from '@latent/protocol';
import type { z } from 'zod';
import type { Benchmark } from './harness/benchmark.ts';
import { type BenchProcess, startProcess } from './harness/start-process.ts';
import { type BookAsked, type BookTold, bookToldSchema } from './transport/notes.ts';
import {
  type DiallersAsked,
  type DiallersSetup,
  type DiallersTold,
  diallersToldSchema,
  type GatesAsked,
  type GatesTold,
  gatesToldSchema,
  type ListenerSetup,
  type ListenerTold,
  listenerToldSchema,
  type SampleAsked,
} from './transport-soak/notes.ts';
import { type Lap, soakMeasurement } from './transport-soak/soak-measurement.ts';

const MINUTES = 6;
const STEPS = 6;
/** Between two disturbances of a lap. */
const STEP_MS = 1_250;
/** Longer than a path without a sign of life is kept. */
const BLOCK_MS = 900;

/** Whether the transport keeps what it no longer needs. */
export const transportSoak: Benchmark = {
  name: 'transport-soak',
  summary: 'a day of calls and lost paths in minutes: what a listener and its diallers hold as time goes on',
  async run({ minutes = MINUTES, signal, onProgress }) {
    const dataDir = await mkdtemp(join(tmpdir(), 'latent-bench-soak-'));
    const started: { end(): Promise<void> }[] = [];
    try {
      const parties = await startParties({ dataDir, signal, started });
      const laps: Lap[] = [];
      for (const endMs = performance.now() + minutes * 60_000; performance.now() < endMs; ) {
        const lap = await runLap(parties, signal);
        laps.push(lap);
        const { calls, resumed, failures } = lap.counts;
        onProgress(`lap ${laps.length}: ${calls} calls, ${resumed} resumed, ${failures} failures`);
      }
      return soakMeasurement(laps);
    } finally {
      await Promise.all(started.map((one) => one.end()));
      await rm(dataDir, { recursive: true, force: true });
    }
  },
};

interface Parties {
  readonly gates: BenchProcess<GatesAsked, GatesTold>;
  readonly listener: BenchProcess<SampleAsked, ListenerTold>;
  readonly diallers: BenchProcess<DiallersAsked, DiallersTold>;
}

interface Starting {
  readonly dataDir: string;
  readonly signal: AbortSignal;
  /** Gets everything that has to be ended. */
  readonly started: { end(): Promise<void> }[];
}

async function startParties({ dataDir, signal, started }: Starting): Promise<Parties> {
  const start = async <Asked extends object, Told>(file: string, setup: unknown, told: z.ZodType<Told>) => {
    const url = new URL(file, import.meta.url);
    const begun = await startProcess<Asked, Told>({ file: url, setup, told, signal });
    started.push(begun);
    return begun;
  };
  const gates = await start<GatesAsked, GatesTold>('transport-soak/gates-process.ts', {}, gatesToldSchema);
  if (gates.ready.kind !== 'ready') throw unexpected(gates.ready.kind);
  const { bookPort, udpPort } = gates.ready;
  const bookUrl = `http://127.0.0.1:${bookPort}`;
  const bookSetup = { dataDir, publicUrls: [bookUrl] };
  const book = await start<BookAsked, BookTold>('transport/book-process.ts', bookSetup, bookToldSchema);
  const lead = { kind: 'lead', bookPort: Number(new URL(book.ready.url).port) } as const;
  await gates.ask({ ...lead, listenerPort: 0 });
  const seed = randomBytes(32).toString('hex');
  const listenerSetup: ListenerSetup = { seed, book: bookUrl };
  const listener = await start<SampleAsked, ListenerTold>(
    'transport-soak/listener-process.ts',
    listenerSetup,
    listenerToldSchema,
  );
  if (listener.ready.kind !== 'ready') throw unexpected(listener.ready.kind);
  await gates.ask({ ...lead, listenerPort: listener.ready.port });
  const diallersSetup: DiallersSetup = { seed, book: `book+${bookUrl}`, udp: `udp://127.0.0.1:${udpPort}` };
  const diallers = await start<DiallersAsked, DiallersTold>(
    'transport-soak/diallers-process.ts',
    diallersSetup,
    diallersToldSchema,
  );
  return { gates, listener, diallers };
}

/** A while of use and disturbance, then rest, in which everybody tells what they hold. */
async function runLap({ gates, listener, diallers }: Parties, signal: AbortSignal): Promise<Lap> {
  await diallers.ask({ kind: 'start' });
  let disturbances = 0;
  for (let step = 0; step < STEPS; step += 1) {
    await sleep(STEP_MS, undefined, { signal });
    disturbances += 1;
    if (step % 2 === 0) {
      await gates.ask({ kind: 'cut' });
      continue;
    }
    await gates.ask({ kind: 'block', isBlocked: true });
    await sleep(BLOCK_MS, undefined, { signal });
    await gates.ask({ kind: 'block', isBlocked: false });
  }
  await sleep(STEP_MS, undefined, { signal });
  const stopped = await diallers.ask({ kind: 'stop' });
  if (stopped.kind !== 'stopped') throw unexpected(stopped.kind);
  const ofListener = await listener.ask({ kind: 'sample' });
  const ofDiallers = await diallers.ask({ kind: 'sample' });
  if (ofListener.kind !== 'sampled') throw unexpected(ofListener.kind);
  if (ofDiallers.kind !== 'sampled') throw unexpected(ofDiallers.kind);
  return { listener: ofListener.sample, diallers: ofDiallers.sample, counts: stopped.counts, disturbances };
}

function unexpected(kind: string): LatentError {
  return new LatentError('INTERNAL', `A process of the benchmark told "${kind}" instead of what it was asked.`);
}
