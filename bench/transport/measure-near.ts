import type { BenchmarkOptions, Table } from '../harness/benchmark.ts';
import { percentile } from '../harness/percentile.ts';
import { askFor, type Bulk, moveBulk, rateCalls, type Transfer } from './measure-pair.ts';
import { type WayName, wayNames } from './notes.ts';
import { type Common, type Pair, startPair } from './start-pair.ts';
import { takeTurns } from './take-turns.ts';
import { WAY_TITLES } from './way-titles.ts';

const MIB = 1024 * 1024;
const SIZES = [
  { name: '64 KiB', messageBytes: 64 * 1024, totalBytes: 256 * MIB },
  { name: '1 KiB', messageBytes: 1024, totalBytes: 16 * MIB },
] as const satisfies readonly (Bulk & { name: string })[];
const ECHO_BYTES = 100;
const ECHOES = 500;
const CONNECTS = 20;
const SEQUENTIAL = { count: 300, atOnce: 1, bytes: ECHO_BYTES };
const PARALLEL = { count: 1_280, atOnce: 32, bytes: ECHO_BYTES };

/** Of one way, over all rounds. */
export interface NearFigures {
  readonly transfers: readonly Transfer[][];
  readonly echoMs: number[];
  readonly connectMs: number[];
  readonly answerMs: number[];
  readonly sequential: number[];
  readonly parallel: number[];
}

export type NearResult = ReadonlyMap<WayName, NearFigures>;

export interface NearOptions extends Pick<BenchmarkOptions, 'signal' | 'onProgress'> {
  readonly common: Common;
  readonly bookPid: number;
  readonly rounds: number;
}

/** On loopback, all ways taking turns. Round 0 warms up. */
export async function measureNear(options: NearOptions): Promise<NearResult> {
  const { common, signal, rounds, onProgress } = options;
  const pairs: Pair[] = [];
  try {
    for (const way of wayNames) pairs.push(await startPair(way, { common, signal }));
    const result = new Map(wayNames.map((way) => [way, noFigures()]));
    for (let round = 0; round <= rounds; round += 1) {
      onProgress(`loopback: round ${round} of ${rounds}`);
      for (const pair of takeTurns(pairs, round)) {
        await measureRound(pair, options, round === 0 ? noFigures() : (result.get(pair.way) ?? noFigures()));
      }
    }
    return result;
  } finally {
    await Promise.all(pairs.map((pair) => pair.end()));
  }
}

async function measureRound(pair: Pair, { bookPid, signal }: NearOptions, into: NearFigures): Promise<void> {
  signal.throwIfAborted();
  for (const [at, size] of SIZES.entries()) {
    into.transfers[at]?.push(await moveBulk(pair, size, pair.way === 'relayed' ? bookPid : undefined));
  }
  into.echoMs.push(...(await askFor(pair, 'echoed', { kind: 'echo', count: ECHOES, bytes: ECHO_BYTES })).ms);
  const { connectMs, answerMs } = await askFor(pair, 'connected', { kind: 'connect', count: CONNECTS });
  into.connectMs.push(...connectMs);
  into.answerMs.push(...answerMs);
  into.sequential.push(await rateCalls(pair, SEQUENTIAL));
  into.parallel.push(await rateCalls(pair, PARALLEL));
}

function noFigures(): NearFigures {
  return {
    transfers: SIZES.map(() => []),
    echoMs: [],
    connectMs: [],
    answerMs: [],
    sequential: [],
    parallel: [],
  };
}

/** p50 of the bulk with large messages, in MB/s. */
export function bulkOf(result: NearResult, way: WayName): number {
  return percentile(result.get(way)?.transfers[0]?.map(({ mbPerSecond }) => mbPerSecond) ?? [], 50) ?? Number.NaN;
}

export function echoOf(result: NearResult, way: WayName): number {
  return percentile(result.get(way)?.echoMs ?? [], 50) ?? Number.NaN;
}

export function nearTables(result: NearResult): readonly Table[] {
  const rows = (figures: (of: NearFigures) => readonly (number | null)[]) =>
    [...result].map(([way, of]) => ({ name: WAY_TITLES[way], figures: figures(of) }));
  const bulk = SIZES.map(({ name }, at) => ({
    title: `One way, messages of ${name}`,
    columns: [
      { name: 'p50', unit: 'MB/s' },
      { name: 'best', unit: 'MB/s' },
      ...['dialler', 'listener', 'book'].map((who) => ({ name: `CPU of the ${who}, p50`, unit: 's/GB' })),
    ],
    rows: rows(({ transfers }) => {
      const all = transfers[at] ?? [];
      const rates = all.map(({ mbPerSecond }) => mbPerSecond);
      const book = all.map(({ betweenCpu }) => betweenCpu).filter((seconds) => seconds !== undefined);
      return [
        percentile(rates, 50),
        percentile(rates, 100),
        percentile(
          all.map(({ diallerCpu }) => diallerCpu),
          50,
        ),
        percentile(
          all.map(({ listenerCpu }) => listenerCpu),
          50,
        ),
        percentile(book, 50),
      ];
    }),
  }));
  return [
    ...bulk,
    {
      title: `${ECHO_BYTES} bytes there and back, on an open stream`,
      columns: ['p50', 'p99', 'least'].map((name) => ({ name, unit: 'ms' })),
      rows: rows(({ echoMs }) => [50, 99, Number.MIN_VALUE].map((percent) => percentile(echoMs, percent))),
    },
    {
      title: 'The first connection, from nothing',
      columns: ['p50', 'p99', 'with an answer, p50', 'with an answer, p99'].map((name) => ({ name, unit: 'ms' })),
      rows: rows(({ connectMs, answerMs }) => [
        percentile(connectMs, 50),
        percentile(connectMs, 99),
        percentile(answerMs, 50),
        percentile(answerMs, 99),
      ]),
    },
    {
      title: `Calls of ${ECHO_BYTES} bytes over a standing connection, p50`,
      columns: ['one after the other', '32 at a time'].map((name) => ({ name, unit: '1/s' })),
      rows: rows(({ sequential, parallel }) => [percentile(sequential, 50), percentile(parallel, 50)]),
    },
  ];
}
