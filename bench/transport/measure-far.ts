import { LatentError } from '@latent/protocol';
import type { BenchmarkOptions, Table } from '../harness/benchmark.ts';
import { percentile } from '../harness/percentile.ts';
import { askFor, moveBulk, type Transfer } from './measure-pair.ts';
import type { WayName } from './notes.ts';
import { type Common, type Pair, type Shape, startPair } from './start-pair.ts';
import { takeTurns } from './take-turns.ts';
import { WAY_TITLES } from './way-titles.ts';

const MIB = 1024 * 1024;
const MESSAGE_BYTES = 64 * 1024;
const SEED = 20_261_130;
const CONNECTS = 5;
const ECHO_BYTES = 100;
const ECHOES = 20;

/** Delay and loss are of each way, so that twice the delay is a round trip. */
const DISTANCES = [
  { name: 'through the forwarder, no delay', delayMs: 0, loss: 0, totalBytes: 128 * MIB },
  { name: '40 ms', delayMs: 20, loss: 0, totalBytes: 128 * MIB },
  { name: '40 ms, 1 % lost', delayMs: 20, loss: 0.01, totalBytes: 64 * MIB },
  { name: '150 ms, 0.1 % lost', delayMs: 75, loss: 0.001, totalBytes: 64 * MIB },
] as const;
export type DistanceName = (typeof DISTANCES)[number]['name'];

interface Farness {
  readonly distance: (typeof DISTANCES)[number];
  readonly pair: Pair;
  readonly transfers: Transfer[];
  readonly connectMs: number[];
  readonly echoMs: number[];
}

export type FarResult = readonly Farness[];

export interface FarOptions extends Pick<BenchmarkOptions, 'signal' | 'onProgress'> {
  readonly common: Common;
  readonly rounds: number;
}

/** Through a forwarder that delays and loses, all taking turns. Round 0 warms up. */
export async function measureFar({ common, rounds, signal, onProgress }: FarOptions): Promise<FarResult> {
  const all: Farness[] = [];
  try {
    for (const distance of DISTANCES) {
      // TCP ends at the forwarder: it would not feel what is lost.
      const ways: readonly WayName[] = distance.loss > 0 ? ['direct', 'udx'] : ['direct', 'udx', 'wss'];
      const shape: Shape = { delayMs: distance.delayMs, loss: distance.loss, seed: SEED };
      for (const way of ways) {
        const pair = await startPair(way, { common, shape, signal });
        all.push({ distance, pair, transfers: [], connectMs: [], echoMs: [] });
      }
    }
    for (let round = 0; round <= rounds; round += 1) {
      onProgress(`at a distance: round ${round} of ${rounds}`);
      for (const one of takeTurns(all, round)) {
        signal.throwIfAborted();
        await measureRound(one, round > 0);
      }
    }
    return all;
  } finally {
    await Promise.all(all.map(({ pair }) => pair.end()));
  }
}

async function measureRound({ pair, distance, transfers, connectMs, echoMs }: Farness, counts: boolean): Promise<void> {
  const { totalBytes } = distance;
  const transfer = await moveBulk(pair, { messageBytes: MESSAGE_BYTES, totalBytes }, pair.forwarder?.pid);
  const connected = await askFor(pair, 'connected', { kind: 'connect', count: CONNECTS });
  const echoed = await askFor(pair, 'echoed', { kind: 'echo', count: ECHOES, bytes: ECHO_BYTES });
  if (!counts) return;
  transfers.push(transfer);
  connectMs.push(...connected.answerMs);
  echoMs.push(...echoed.ms);
}

export function farBulkOf(result: FarResult, name: DistanceName, way: WayName): number {
  const found = result.find(({ distance, pair }) => distance.name === name && pair.way === way);
  if (found === undefined) throw new LatentError('INTERNAL', `${way} was not measured at ${name}.`);
  return percentile(ratesOf(found.transfers), 50) ?? Number.NaN;
}

function ratesOf(transfers: readonly Transfer[]): readonly number[] {
  return transfers.map(({ mbPerSecond }) => mbPerSecond);
}

export function farTable(result: FarResult): Table {
  const cpuOf = (transfers: readonly Transfer[], of: (transfer: Transfer) => number | undefined) =>
    percentile(
      transfers.map(of).filter((seconds) => seconds !== undefined),
      50,
    );
  return {
    title: `At a distance, messages of ${MESSAGE_BYTES / 1024} KiB one way`,
    columns: [
      { name: 'p50', unit: 'MB/s' },
      { name: 'best', unit: 'MB/s' },
      ...['dialler', 'listener', 'forwarder'].map((who) => ({ name: `CPU of the ${who}, p50`, unit: 's/GB' })),
      { name: 'connecting, with an answer, p50', unit: 'ms' },
      { name: `${ECHO_BYTES} bytes there and back, p50`, unit: 'ms' },
    ],
    rows: result.map(({ distance, pair, transfers, connectMs, echoMs }) => ({
      name: `${distance.name}: ${WAY_TITLES[pair.way]}`,
      figures: [
        percentile(ratesOf(transfers), 50),
        percentile(ratesOf(transfers), 100),
        cpuOf(transfers, ({ diallerCpu }) => diallerCpu),
        cpuOf(transfers, ({ listenerCpu }) => listenerCpu),
        cpuOf(transfers, ({ betweenCpu }) => betweenCpu),
        percentile(connectMs, 50),
        percentile(echoMs, 50),
      ],
    })),
  };
}
