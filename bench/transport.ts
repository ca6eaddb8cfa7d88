import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aimAtLeast, aimAtMost, type Benchmark } from './harness/benchmark.ts';
import { startProcess } from './harness/start-process.ts';
import { farBulkOf, farTable, measureFar } from './transport/measure-far.ts';
import { idleTable, measureIdle } from './transport/measure-idle.ts';
import { bulkOf, echoOf, measureNear, nearTables } from './transport/measure-near.ts';
import { type BookAsked, type BookTold, bookToldSchema } from './transport/notes.ts';
import type { Common } from './transport/start-pair.ts';
import { makeThrowawayCertificate } from './transport/throwaway-certificate.ts';

const ROUNDS = 5;
const FAR_ROUNDS = 3;

/** What carries everything between renter and agent, beside what somebody would take instead. */
export const transport: Benchmark = {
  name: 'transport',
  summary:
    'speed, connecting, calls and idleness of the transports, beside wss and bare UDX; near, far, and over a bad line',
  async run({ runs = ROUNDS, signal, onProgress }) {
    const dataDir = await mkdtemp(join(tmpdir(), 'latent-bench-transport-'));
    try {
      const book = await startProcess<BookAsked, BookTold>({
        file: new URL('./transport/book-process.ts', import.meta.url),
        setup: { dataDir, publicUrls: [] },
        told: bookToldSchema,
        signal,
      });
      try {
        const seed = randomBytes(32).toString('hex');
        const common: Common = { seed, book: book.ready.url, ...makeThrowawayCertificate() };
        const options = { common, signal, onProgress };
        const near = await measureNear({ ...options, rounds: runs, bookPid: book.pid });
        const far = await measureFar({ ...options, rounds: Math.min(runs, FAR_ROUNDS) });
        const idle = await measureIdle(options);
        return {
          tables: [...nearTables(near), farTable(far), idleTable(idle)],
          aims: [
            aimAtLeast('direct, bulk', bulkOf(near, 'direct'), 100, 'MB/s'),
            aimAtLeast('relayed, bulk', bulkOf(near, 'relayed'), 60, 'MB/s'),
            aimAtMost('direct, 100 bytes there and back, p50', echoOf(near, 'direct'), 0.3, 'ms'),
            aimAtLeast('direct, bulk at 40 ms', farBulkOf(far, '40 ms', 'direct'), 40, 'MB/s'),
            aimAtLeast('direct, bulk at 40 ms with 1 % lost', farBulkOf(far, '40 ms, 1 % lost', 'direct'), 15, 'MB/s'),
          ],
          notes: notesOf(runs),
        };
      } finally {
        await book.end();
      }
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  },
};

function notesOf(rounds: number): readonly string[] {
  return [
    `${rounds} rounds on loopback and ${Math.min(rounds, FAR_ROUNDS)} at a distance, after one each to warm up. All ways take turns, each round another one first. Dialler, listener, book and forwarders are processes of their own; none has a core for itself on a machine with few.`,
    'A transfer is over when the receiver has said that it has everything. CPU is of whole processes, as the kernel counts it, system time included.',
    'Relayed: the dialler does not use UDP, as on one machine a hole can always be punched; the book is a real one. Its first connection includes a new link to the book.',
    'wss proves the server’s key only, and to somebody who pins its certificate; the others prove both. Its calls, and those of UDX alone, are numbered messages on one channel; those of the peer transport are streams, those of the tcp transport connections of their own.',
    'UDX and secret-stream alone is the floor below our direct paths: no streams in it, nothing that outlives it, no limits.',
    'At a distance: a forwarder of UDP in the user’s space delays and loses packets, each way alike, the same ones by their number each time. What it can carry at most is what UDX alone reaches through it without delay. It shares the cores with both ends.',
    'wss at a distance: the forwarder ends TCP on both sides, whose congestion control therefore feels neither the delay nor a loss. Its speed there is no figure of TCP; what its handshakes cost in round trips is right. With loss it is not measured.',
    'Idle: connections that were used once, from one other process. wss has no heartbeat here; our peer transport has, of each connection every 15 s, and the tcp transport every 10 s.',
  ];
}
