import { randomBytes } from 'node:crypto';
import { LatentError } from '@latent/protocol';
import type { Benchmark, BenchmarkOptions } from './harness/benchmark.ts';
import { percentile, spread, spreadColumns } from './harness/percentile.ts';
import { type Channel, openChannel } from './stream/channel.ts';
import { channelKinds } from './stream/channel-kinds.ts';

const ROUNDS = 5;
const CONNECTS_PER_ROUND = 40;
const MIB = 1024 * 1024;
const SIZES = [
  { name: '256 KiB', bytes: 256 * 1024, totalBytes: 256 * MIB },
  { name: '1 KiB', bytes: 1024, totalBytes: 16 * MIB },
] as const;

/** One transfer. */
interface Transfer {
  readonly mibPerSecond: number;
  /** Of both ends together. */
  readonly cpuMsPerMib: number;
}

const names = {
  latent: 'EncryptedStream (TCP, Noise)',
  tls: 'node:tls (1.2, ECDHE-PSK, ChaCha20-Poly1305)',
  tcp: 'node:net (TCP)',
} as const;

/** What carries everything between renter and agent. */
export const stream: Benchmark = {
  name: 'stream',
  summary: 'throughput and connecting of one encrypted stream on loopback, beside plain TCP and node:tls',
  async run(options) {
    const { runs = ROUNDS, signal, onProgress } = options;
    const channels: Channel[] = [];
    try {
      for (const kind of channelKinds) channels.push(await openChannel(kind, signal));
      const results = channels.map((channel) => ({
        channel,
        connects: [] as number[],
        transfers: SIZES.map((): Transfer[] => []),
      }));
      // Round 0 warms up. Kinds take turns, so that a disturbance meets all alike.
      for (let round = 0; round <= runs; round += 1) {
        onProgress(`round ${round} of ${runs}`);
        for (const { channel, connects, transfers } of results) {
          const connected = await timeConnects(channel, signal);
          if (round > 0) connects.push(...connected);
          for (const [index, size] of SIZES.entries()) {
            const transfer = await timeTransfer(channel, size, signal);
            if (round > 0) transfers[index]?.push(transfer);
          }
        }
      }
      return measurement(results, runs);
    } finally {
      await Promise.all(channels.map((channel) => channel.close()));
    }
  },
};

interface ChannelResults {
  readonly channel: Channel;
  readonly connects: readonly number[];
  readonly transfers: readonly (readonly Transfer[])[];
}

function measurement(results: readonly ChannelResults[], runs: BenchmarkOptions['runs']) {
  return {
    tables: [
      ...SIZES.map(({ name }, index) => ({
        title: `Messages of ${name}, one direction, one connection`,
        columns: [
          { name: 'p50', unit: 'MiB/s' },
          { name: 'best', unit: 'MiB/s' },
          { name: 'CPU of both ends, p50', unit: 'ms/MiB' },
        ],
        rows: results.map(({ channel, transfers }) => {
          const rates = transfers[index]?.map(({ mibPerSecond }) => mibPerSecond) ?? [];
          const costs = transfers[index]?.map(({ cpuMsPerMib }) => cpuMsPerMib) ?? [];
          return {
            name: names[channel.kind],
            figures: [percentile(rates, 50), percentile(rates, 100), percentile(costs, 50)],
          };
        }),
      })),
      {
        title: 'Connecting, until both ends have proven themselves',
        columns: spreadColumns('ms'),
        rows: results.map(({ channel, connects }) => ({ name: names[channel.kind], figures: spread(connects) })),
      },
    ],
    aims: [],
    notes: [
      `${runs} rounds after one to warm up; ${CONNECTS_PER_ROUND} connections in each, one after the other. Sender and receiver are two threads.`,
      'A transfer is over when the receiver says that it has everything. CPU time is of the whole process, and hardly depends on what else runs; rates do.',
      'Messages keep their boundaries on an EncryptedStream only; TCP and TLS get the same pieces and may join them.',
      'TLS by a shared key, so without certificates: a real handshake signs and checks some more.',
    ],
  };
}

async function timeConnects(channel: Channel, signal: AbortSignal): Promise<readonly number[]> {
  const times: number[] = [];
  for (let count = 0; count < CONNECTS_PER_ROUND; count += 1) {
    signal.throwIfAborted();
    const before = performance.now();
    const connection = await channel.connect(signal);
    times.push(performance.now() - before);
    connection.destroy();
  }
  return times;
}

async function timeTransfer(
  channel: Channel,
  { bytes, totalBytes }: (typeof SIZES)[number],
  signal: AbortSignal,
): Promise<Transfer> {
  const message = randomBytes(bytes);
  const connection = await channel.connect(signal);
  try {
    const received = nonEmpty(channel, signal);
    received.catch(() => undefined);
    const cpuBefore = process.cpuUsage();
    const before = performance.now();
    for (let sent = 0; sent < totalBytes; sent += bytes) {
      signal.throwIfAborted();
      await connection.send(message);
    }
    await connection.end();
    const arrived = await received;
    const seconds = (performance.now() - before) / 1_000;
    const { user, system } = process.cpuUsage(cpuBefore);
    if (arrived !== totalBytes) throw new LatentError('INTERNAL', `${arrived} of ${totalBytes} bytes arrived.`);
    const mib = totalBytes / MIB;
    return { mibPerSecond: mib / seconds, cpuMsPerMib: (user + system) / 1_000 / mib };
  } finally {
    connection.destroy();
  }
}

/** Connections that were only timed may be told of late, as having carried nothing. */
async function nonEmpty(channel: Channel, signal: AbortSignal): Promise<number> {
  for (;;) {
    const bytes = await channel.received(signal);
    if (bytes > 0) return bytes;
  }
}
