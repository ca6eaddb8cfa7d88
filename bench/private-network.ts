import { probeNetwork } from '@latent/agent';
import { LatentError } from '@latent/protocol';
import { aimAtLeast, type Benchmark, type Table } from './harness/benchmark.ts';
import { percentile } from './harness/percentile.ts';
import { readCpuSeconds } from './harness/process-figures.ts';
import { openBareWay } from './private-network/open-link.ts';
import { openMembers } from './private-network/open-members.ts';
import { openNebulaWay } from './private-network/open-nebula.ts';
import { openTransportWay } from './private-network/open-transport.ts';
import type { Way } from './private-network/way.ts';
import { takeTurns } from './transport/take-turns.ts';

const ROUNDS = 5;
const MIB = 1 << 20;
const FAR = { delayMs: 20, loss: 0.01, seed: 20_261_201 };

interface Figures {
  readonly way: Way;
  readonly mbits: number[];
  /** CPU seconds for each GB, of what carries it, on each side. */
  readonly cpu: readonly number[][];
  readonly echoMs: number[];
}

/** What carries packets between the members of a lease, beside what it rides on, a bare link, and Nebula. */
export const privateNetwork: Benchmark = {
  name: 'private-network',
  summary: 'TCP between two members of a private network, beside its transports alone, a bare link and Nebula',
  async run({ runs = ROUNDS, signal, onProgress }) {
    const probe = await probeNetwork({ signal });
    if (!probe.usable)
      throw new LatentError('NETWORK_UNAVAILABLE', `There is no private network here: ${probe.reason}.`);
    const ways: Way[] = [];
    const open = async (way: Promise<Way | undefined>) => {
      const opened = await way;
      if (opened !== undefined) ways.push(opened);
      return opened;
    };
    try {
      const udp = await open(openMembers({ title: 'private network over UDP', way: 'direct' }, signal));
      const udpAlone = await open(openTransportWay({ title: 'its transport alone, UDP', way: 'direct' }, signal));
      const tcp = await open(openMembers({ title: 'private network over TCP', way: 'tcp' }, signal));
      await open(openTransportWay({ title: 'its transport alone, TCP', way: 'tcp' }, signal));
      await open(openBareWay(signal));
      await open(openNebulaWay(signal));
      const near = await measure(ways.splice(0), {
        rounds: runs,
        totalBytes: 256 * MIB,
        echoes: 300,
        signal,
        onProgress,
      });
      const shape = FAR;
      await open(openMembers({ title: 'private network over UDP', way: 'direct', shape }, signal));
      await open(openTransportWay({ title: 'its transport alone, UDP', way: 'direct', shape }, signal));
      const far = await measure(ways.splice(0), { rounds: runs, totalBytes: 64 * MIB, echoes: 20, signal, onProgress });
      const [best, alone] = [udp, udpAlone].map((way) => medianOf(near, way));
      return {
        tables: [tableOf('On loopback', near), tableOf('At 40 ms, 1 % lost', far)],
        aims: [
          aimAtLeast('over UDP, loopback', best ?? Number.NaN, 1_000, 'Mbit/s'),
          aimAtLeast('over TCP, loopback', medianOf(near, tcp), 1_000, 'Mbit/s'),
          aimAtLeast('over UDP, part of its transport', (100 * (best ?? Number.NaN)) / (alone ?? Number.NaN), 90, '%'),
        ],
        notes: notesOf(runs),
      };
    } finally {
      await Promise.all(ways.map((way) => way.end()));
    }
  },
};

interface Measuring {
  readonly rounds: number;
  readonly totalBytes: number;
  readonly echoes: number;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

/** All ways taking turns; ends them. Round 0 warms up. */
async function measure(ways: readonly Way[], measuring: Measuring): Promise<readonly Figures[]> {
  const all = ways.map((way): Figures => ({ way, mbits: [], cpu: way.pids.map(() => []), echoMs: [] }));
  try {
    for (let round = 0; round <= measuring.rounds; round += 1) {
      measuring.onProgress(`round ${round} of ${measuring.rounds}`);
      for (const figures of takeTurns(all, round)) {
        measuring.signal.throwIfAborted();
        await measureOnce(figures, measuring, round > 0);
      }
    }
    return all;
  } finally {
    await Promise.all(ways.map((way) => way.end()));
  }
}

async function measureOnce({ way, mbits, cpu, echoMs }: Figures, of: Measuring, counts: boolean): Promise<void> {
  const before = await Promise.all(way.pids.map(readCpuSeconds));
  const ms = await way.bulk(of.totalBytes);
  const after = await Promise.all(way.pids.map(readCpuSeconds));
  const echoes = await way.echo(of.echoes);
  if (!counts) return;
  mbits.push((of.totalBytes * 8) / 1_000 / ms);
  for (const [at, seconds] of after.entries()) cpu[at]?.push((seconds - (before[at] ?? 0)) / (of.totalBytes / 1e9));
  echoMs.push(...echoes);
}

function medianOf(all: readonly Figures[], way: Way | undefined): number {
  return percentile(all.find((figures) => figures.way === way)?.mbits ?? [], 50) ?? Number.NaN;
}

function tableOf(title: string, all: readonly Figures[]): Table {
  return {
    title,
    columns: [
      { name: 'one way, p50', unit: 'Mbit/s' },
      { name: 'one way, best', unit: 'Mbit/s' },
      { name: 'CPU of the sending side, p50', unit: 's/GB' },
      { name: 'CPU of the taking side, p50', unit: 's/GB' },
      { name: 'a byte there and back, p50', unit: 'ms' },
    ],
    rows: all.map(({ way, mbits, cpu, echoMs }) => ({
      name: way.title,
      figures: [
        percentile(mbits, 50),
        percentile(mbits, 100),
        percentile(cpu[0] ?? [], 50),
        percentile(cpu[1] ?? [], 50),
        percentile(echoMs, 50),
      ],
    })),
  };
}

function notesOf(rounds: number): readonly string[] {
  return [
    `${rounds} rounds after one to warm up; all ways take turns, each round another one first.`,
    'TCP from a program in one network namespace to one in the other, with the congestion control of the machine. Both, and what carries it on either side, are processes that share the cores; what a transport alone is measured with sends and takes in the very processes that encrypt.',
    'CPU is of what carries packets, the kernel’s work for it included: the agents, or Nebula. For a transport alone it is of the whole processes. A bare link has no such process.',
    'At a distance: a forwarder of UDP in the user’s space delays and loses packets, each way alike. It shares the cores too.',
    'Nebula is measured where it is installed, over a veth link of its own, with its settings as they come.',
  ];
}
