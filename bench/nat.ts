import { setTimeout as pause } from 'node:timers/promises';
import { LatentError } from '@latent/protocol';
import { findMissing } from '../e2e/nat/find-missing.ts';
import type { Benchmark, BenchmarkOptions, Row } from './harness/benchmark.ts';
import { percentile } from './harness/percentile.ts';
import { HOME_KINDS, nameOf, PAIRS, type Pair } from './nat/home-kinds.ts';
import { openHomes } from './nat/open-homes.ts';

const CONNECTIONS = 5;
/** Of every uplink, each way: twice that is between any two places, four times that is a round trip. */
const DELAY_MS = 10;
const BULK_BYTES = 16 * 1024 * 1024;
/** All holes have been tried by then: the last probe leaves after 3.5 s. */
const SETTLED_MS = 6_000;
const LOOK_MS = 100;

/** Every kind of home before every other: what comes of it, how soon, and how fast it is then. */
export const nat: Benchmark = {
  name: 'nat',
  summary: 'every kind of home network before every other: direct or relayed, how soon, how fast; needs root',
  async run({ runs = CONNECTIONS, signal, onProgress }) {
    const missing = await findMissing();
    if (missing !== undefined)
      throw new LatentError('CONFIG_INVALID', `There can be no lab of networks here: ${missing}.`);
    const settled = await measureSettled({ signal, onProgress });
    const times = await measureFresh(settled, runs, { signal, onProgress });
    const rows = (way: Way): readonly Row[] =>
      PAIRS.map(nameOf)
        .filter((name) => settled.get(name)?.way === way)
        .map((name) => {
          const { answeredMs = null, directMs = null } = times.get(name) ?? {};
          const speed = settled.get(name)?.megabytesPerSecond ?? null;
          return { name, figures: way === 'direct' ? [answeredMs, directMs, speed] : [answeredMs, speed] };
        });
    const answered = { name: 'first answer', unit: 'ms' };
    const speed = { name: 'one way', unit: 'MB/s' };
    return {
      tables: [
        { title: 'Direct', columns: [answered, { name: 'direct after', unit: 'ms' }, speed], rows: rows('direct') },
        { title: 'Relayed', columns: [answered, speed], rows: rows('relayed') },
      ],
      aims: [],
      notes: notesOf(runs),
    };
  },
};

type Way = 'direct' | 'relayed';
type Progress = Pick<BenchmarkOptions, 'signal' | 'onProgress'>;

interface Settled {
  readonly way: Way;
  readonly megabytesPerSecond: number;
}

/** What a connection of each pair comes to when every hole has been tried, and what it carries then. */
async function measureSettled({ signal, onProgress }: Progress): Promise<ReadonlyMap<string, Settled>> {
  onProgress(`building ${2 * HOME_KINDS.length} homes without delay`);
  await using homes = await openHomes(undefined);
  onProgress(`connecting ${PAIRS.length} pairs`);
  const ways = new Map<string, Way>();
  const ends = ({ from, to }: Pair) => [homes.dialler(from), homes.listener(to)] as const;
  for (const kind of HOME_KINDS) {
    const pairs = PAIRS.filter(({ from }) => from === kind);
    await Promise.all(pairs.map((pair) => homes.dialler(kind).connect(homes.listener(pair.to))));
  }
  for (const deadlineMs = performance.now() + SETTLED_MS; performance.now() < deadlineMs; ) {
    signal.throwIfAborted();
    for (const pair of PAIRS) {
      const [dialler, listener] = ends(pair);
      ways.set(nameOf(pair), (await dialler.route(listener)).startsWith('direct') ? 'direct' : 'relayed');
    }
    await pause(LOOK_MS, undefined, { signal });
  }
  const settled = new Map<string, Settled>();
  for (const pair of PAIRS) {
    signal.throwIfAborted();
    const [dialler, listener] = ends(pair);
    const megabytesPerSecond = await dialler.bulk(listener, BULK_BYTES);
    const way = ways.get(nameOf(pair)) ?? 'relayed';
    settled.set(nameOf(pair), { way, megabytesPerSecond });
    onProgress(`${nameOf(pair)}: ${way}, ${megabytesPerSecond.toFixed(0)} MB/s`);
  }
  return settled;
}

interface Times {
  readonly answeredMs: number | null;
  readonly directMs: number | null;
}

/** Medians over connections by transports that are new each time, one after the other. */
async function measureFresh(
  settled: ReadonlyMap<string, Settled>,
  connections: number,
  { signal, onProgress }: Progress,
): Promise<ReadonlyMap<string, Times>> {
  onProgress(`building them with ${DELAY_MS} ms each way`);
  await using homes = await openHomes(DELAY_MS);
  const times = new Map<string, Times>();
  for (const pair of PAIRS) {
    const name = nameOf(pair);
    const isDirect = settled.get(name)?.way === 'direct';
    const [answered, direct]: [number[], number[]] = [[], []];
    for (let made = 0; made < connections; made += 1) {
      signal.throwIfAborted();
      const [dialler, listener] = [homes.dialler(pair.from), homes.listener(pair.to)];
      const { answeredMs, directMs } = await dialler.connectAfresh(listener, isDirect ? SETTLED_MS : 0);
      answered.push(answeredMs);
      if (directMs !== null) direct.push(directMs);
    }
    // A median of those that got there would hide the others.
    const directMs = direct.length === connections ? percentile(direct, 50) : null;
    times.set(name, { answeredMs: percentile(answered, 50), directMs });
    onProgress(
      `${name}: answered after ${percentile(answered, 50)?.toFixed(0)} ms, direct after ${directMs?.toFixed(0)} ms`,
    );
  }
  return times;
}

function notesOf(connections: number): readonly string[] {
  return [
    'Homes are network namespaces of one machine, with the routers of the kernel: `e2e/nat/lab-spec.ts` says what each kind is. Every process is a real peer, the book a real book.',
    `Times: ${DELAY_MS} ms each way on every uplink, the book's too, so that a round trip between any two places takes ${4 * DELAY_MS} ms. Median of ${connections} connections, one after the other, each by a transport that is made for it (new key, new UDP port, no link to the book yet) in a process that has run before. The book is reached without TLS, which would add a round trip.`,
    'First answer: from connecting to the answer to the first message. It comes through the book where that is sooner; the connection goes on directly from "direct after".',
    `Speed: ${BULK_BYTES / 1024 / 1024} MiB one way over the settled connection, without delay. Both peers, the book and the kernel's routers share the cores of this machine: what a pair does is what these leave it, and no line.`,
  ];
}
