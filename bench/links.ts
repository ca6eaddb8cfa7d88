import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LatentError } from '@latent/protocol';
import { aimAtMost, type Benchmark, type BenchmarkOptions, type Measurement } from './harness/benchmark.ts';
import { type HelperProcess, startHelper } from './links/helper-process.ts';
import { BOOK_FLAGS, look } from './links/look.ts';
import { AT_ONCE, type Measured } from './links/notes.ts';

const AGENTS = 5_000;
/** More than one, as opening connections costs agents more than the book. */
const PROCESSES = 2;
/** Three pings of each connection. */
const IDLE_MS = 60_000;
const MIB = 1024 * 1024;
const AIM_KIB = 32;
const AIM_MB = 300;
const STARTS = [
  { name: `with ${BOOK_FLAGS.join(' ')}`, flags: BOOK_FLAGS },
  { name: 'as Node does it', flags: [] },
] as const;

/** What it costs a book that thousands of agents are there, and do nothing. */
export const links: Benchmark = {
  name: 'links',
  summary: 'memory and CPU of a book with 5,000 idle agents, each present and linked; --runs sets how many hundreds',
  async run(options) {
    const agents = (options.runs ?? AGENTS / 100) * 100;
    const looks: Looks[] = [];
    for (const { name, flags } of STARTS) {
      options.onProgress(`a book started ${name}`);
      looks.push(await measureBook(name, { flags, agents }, options));
    }
    return report(looks, agents);
  },
};

/** A book at each of these times. */
interface Looks {
  readonly name: string;
  readonly empty: Measured;
  readonly present: Measured;
  readonly linked: Measured;
  readonly idle: Measured;
  readonly presenceMs: number;
  readonly linksMs: number;
}

async function measureBook(
  name: string,
  { flags, agents }: { readonly flags: readonly string[]; readonly agents: number },
  { signal, onProgress }: BenchmarkOptions,
): Promise<Looks> {
  const dataDir = await mkdtemp(join(tmpdir(), 'latent-bench-links-'));
  const started: HelperProcess[] = [];
  try {
    const book = await startHelper('book-process.ts', { dataDir }, { signal, flags });
    started.push(book);
    if (book.ready.kind !== 'ready') throw new LatentError('INTERNAL', 'The book did not tell where it is.');
    const { url } = book.ready;
    onProgress(`signing the asks of ${agents} agents`);
    const share = Math.ceil(agents / PROCESSES);
    const homes: HelperProcess[] = [];
    for (let first = 0; first < agents; first += share) {
      const setup = { url, first, count: Math.min(share, agents - first) };
      homes.push(await startHelper('agents-process.ts', setup, { signal }));
      started.push(...homes.slice(-1));
    }
    const open = async (what: 'presence' | 'links') => {
      onProgress(`opening ${agents} connections: ${what}`);
      const opened = await Promise.all(homes.map((home) => home.ask({ kind: 'open', what })));
      return Math.max(...opened.map((note) => (note.kind === 'opened' ? note.ms : Number.NaN)));
    };
    const empty = await look(book);
    const presenceMs = await open('presence');
    const present = await look(book);
    const linksMs = await open('links');
    const linked = await look(book);
    onProgress(`idle for ${IDLE_MS / 1_000} s`);
    await sleep(IDLE_MS, undefined, { signal });
    return { name, empty, present, linked, idle: await look(book), presenceMs, linksMs };
  } finally {
    await Promise.all(started.map((one) => one.end()));
    await rm(dataDir, { recursive: true, force: true });
  }
}

function report(looks: readonly Looks[], agents: number): Measurement {
  const kibOfOne = (before: Measured, after: Measured) => (after.rssBytes - before.rssBytes) / agents / 1_024;
  const cpuOfOne = (before: Measured, after: Measured) => (after.cpuMs - before.cpuMs) / agents;
  const megabytes = ({ rssBytes }: Measured) => [rssBytes / MIB];
  const [best] = looks;
  return {
    tables: [
      ...looks.map(({ name, empty, present, linked, idle }) => ({
        title: `Memory of a book started ${name}`,
        columns: ['RSS', 'heap in use'].map((column) => ({ name: column, unit: 'MiB' })),
        rows: [
          { name: 'nobody there', of: empty },
          { name: `${agents} agents present, each with an ask`, of: present },
          { name: 'and linked', of: linked },
          { name: `after ${IDLE_MS / 1_000} s`, of: idle },
        ].map((row) => ({ name: row.name, figures: [...megabytes(row.of), row.of.heapBytes / MIB] })),
      })),
      {
        title: 'One more',
        columns: [
          { name: 'RSS', unit: 'KiB' },
          { name: 'CPU of the book, to open', unit: 'ms' },
          { name: 'opened', unit: '1/s' },
        ],
        rows: looks.flatMap(({ name, empty, present, linked, presenceMs, linksMs }) => [
          {
            name: `presence, with an ask, ${name}`,
            figures: [kibOfOne(empty, present), cpuOfOne(empty, present), agents / (presenceMs / 1_000)],
          },
          {
            name: `link, ${name}`,
            figures: [kibOfOne(present, linked), cpuOfOne(present, linked), agents / (linksMs / 1_000)],
          },
        ]),
      },
      {
        title: `${2 * agents} connections, each pinged every 20 s`,
        columns: [{ name: 'CPU of the book', unit: '% of a core' }],
        rows: looks.map(({ name, linked, idle }) => ({
          name,
          figures: [(100 * (idle.cpuMs - linked.cpuMs)) / (idle.atMs - linked.atMs)],
        })),
      },
    ],
    aims:
      best === undefined
        ? []
        : [
            aimAtMost(`RSS of one idle connection, ${best.name}`, kibOfOne(best.empty, best.idle) / 2, AIM_KIB, 'KiB'),
            aimAtMost(
              `RSS of a book with ${agents} idle agents, ${best.name}`,
              best.idle.rssBytes / 1_000_000,
              AIM_MB,
              'MB',
            ),
          ],
    notes: [
      `A process of its own, as it starts from settings, but for the chain: each agent belongs to the operator it names. ${PROCESSES} other processes hold the agents, over loopback, and open ${AT_ONCE} connections at once each.`,
      'RSS after garbage was collected three times. What the kernel keeps of a socket is not in it. The ask, with its row on the disk, is a part of a presence.',
      'Node by itself lets the space for young objects grow to far more than they ever take; the flag keeps it small.',
      'CPU of idleness holds those collections. Opening is slowed by the agents, which sign in TypeScript on the same cores: the CPU of the book is what counts.',
    ],
  };
}
