import { setTimeout as sleep } from 'node:timers/promises';
import { LatentError } from '@latent/protocol';
import type { BenchmarkOptions, Table } from '../harness/benchmark.ts';
import { readCpuSeconds } from '../harness/process-figures.ts';
import { askFor } from './measure-pair.ts';
import { type WayName, wayNames } from './notes.ts';
import { type Common, type ListenerProcess, startPair } from './start-pair.ts';
import { WAY_TITLES } from './way-titles.ts';

const IDLE_CONNECTIONS = 1_000;
const AT_ONCE = 16;
const IDLE_MS = 20_000;
const BYTES_PER_KIB = 1024;

/** Of one way: what its listener needs for connections that do nothing. */
export interface IdleFigures {
  readonly way: WayName;
  readonly rssKib: number;
  readonly heapKib: number;
  readonly idleCpuPercent: number;
}

export interface IdleOptions extends Pick<BenchmarkOptions, 'signal' | 'onProgress'> {
  readonly common: Common;
}

/** One way after the other: a thousand connections are not to be held while another way is measured. */
export async function measureIdle(options: IdleOptions): Promise<readonly IdleFigures[]> {
  const all: IdleFigures[] = [];
  for (const way of wayNames) {
    options.onProgress(`${IDLE_CONNECTIONS} idle connections: ${WAY_TITLES[way]}`);
    all.push(await measureOne(way, options));
  }
  return all;
}

async function measureOne(way: WayName, { common, signal }: IdleOptions): Promise<IdleFigures> {
  const pair = await startPair(way, { common, signal });
  try {
    // What the first connections load is no part of what one more costs.
    await askFor(pair, 'took', { kind: 'hold', count: AT_ONCE, atOnce: AT_ONCE });
    const before = await look(pair.listener);
    await askFor(pair, 'took', { kind: 'hold', count: IDLE_CONNECTIONS, atOnce: AT_ONCE });
    const after = await look(pair.listener);
    const cpuBefore = await readCpuSeconds(pair.listener.pid);
    await sleep(IDLE_MS, undefined, { signal });
    const cpuSeconds = (await readCpuSeconds(pair.listener.pid)) - cpuBefore;
    const kib = (bytes: number) => bytes / IDLE_CONNECTIONS / BYTES_PER_KIB;
    return {
      way,
      rssKib: kib(after.rssBytes - before.rssBytes),
      heapKib: kib(after.heapBytes - before.heapBytes),
      idleCpuPercent: (100 * cpuSeconds) / (IDLE_MS / 1_000),
    };
  } finally {
    await pair.end();
  }
}

async function look(listener: ListenerProcess) {
  const told = await listener.ask({ kind: 'measure' });
  if (told.kind === 'measured') return told;
  throw new LatentError('INTERNAL', `A listener told "${told.kind}" instead of its figures.`);
}

export function idleTable(all: readonly IdleFigures[]): Table {
  return {
    title: `The listener of ${IDLE_CONNECTIONS} idle connections`,
    columns: [
      { name: 'RSS for each', unit: 'KiB' },
      { name: 'heap for each', unit: 'KiB' },
      { name: 'CPU of all, idle', unit: '% of a core' },
    ],
    rows: all.map(({ way, rssKib, heapKib, idleCpuPercent }) => ({
      name: WAY_TITLES[way],
      figures: [rssKib, heapKib, idleCpuPercent],
    })),
  };
}
