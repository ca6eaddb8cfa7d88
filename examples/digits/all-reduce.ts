import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { frameKinds, PeerError, PeerLink } from './peer-link.ts';

export interface RingOptions {
  readonly rank: number;
  /** One IP address for each rank. */
  readonly addresses: readonly string[];
  readonly port: number;
  /** The same on all ranks of a run; ranks of another run are turned away. */
  readonly runId: string;
  /** How long to wait for the peers to come up. */
  readonly connectTimeoutMs: number;
  /** How long a peer may be silent while it is waited for. */
  readonly stallTimeoutMs: number;
}

/** All ranks in a circle: each sends to the next one and receives from the one before. */
export interface Ring {
  /**
   * Replaces each number by its sum over all ranks. Every number is added up in one place and handed round, so that all
   * ranks end with the same bits. Vectors have the same length on all ranks. Rejects with `PeerError`.
   */
  allReduce(vector: Float64Array): Promise<void>;
  close(): void;
}

const retryMs = 50;
const helloTimeoutMs = 5000;
const maxHelloBytes = 512;

/** @throws PeerError when the peers do not come up in time, or the own address cannot be bound. */
export async function connectRing(options: RingOptions): Promise<Ring> {
  if (options.addresses.length === 1) return { allReduce: async () => undefined, close: () => undefined };
  const givenUp = new AbortController();
  const timer = setTimeout(() => givenUp.abort(), options.connectTimeoutMs);
  const server = createServer();
  try {
    await listen(server, options);
    const accepted = acceptBefore(server, options, givenUp.signal).then((link) => {
      link.watch(() => givenUp.abort()); // no use in going on to wait for the next rank
      return link;
    });
    const [before, next] = await Promise.allSettled([accepted, dialNext(options, givenUp.signal)]);
    if (before.status === 'fulfilled' && next.status === 'fulfilled')
      return new TcpRing(options, before.value, next.value);
    const reasons = [before, next].flatMap((end) => (end.status === 'rejected' ? [messageOf(end.reason)] : []));
    throw new PeerError(
      `the ranks did not find each other (limit ${options.connectTimeoutMs / 1000} s): ${reasons.join('; ')}`,
    );
  } finally {
    clearTimeout(timer);
    server.close();
  }
}

function nameOf(options: RingOptions, rank: number): string {
  return `rank ${rank} (${options.addresses[rank]})`;
}

function helloOf(options: RingOptions, rank: number): string {
  return JSON.stringify({ rank, ranks: options.addresses.length, runId: options.runId });
}

function listen(server: Server, options: RingOptions): Promise<void> {
  const host = options.addresses[options.rank];
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new PeerError(`cannot listen on ${host}:${options.port} (${error.message})`)),
    );
    server.listen({ host, port: options.port }, resolve);
  });
}

/** The first connection that says it is the rank before of this run; all others are dropped. */
function acceptBefore(server: Server, options: RingOptions, givenUp: AbortSignal): Promise<PeerLink> {
  const before = (options.rank + options.addresses.length - 1) % options.addresses.length;
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(new PeerError(`${nameOf(options, before)} did not connect`));
    givenUp.addEventListener('abort', giveUp, { once: true });
    let isTaken = false;
    server.on('connection', (socket) => {
      const link = new PeerLink(socket, nameOf(options, before));
      const refuse = (): void => link.destroy(new PeerError('not the rank before of this run'));
      link.receive(frameKinds.hello, 0, maxHelloBytes, helloTimeoutMs).then((hello) => {
        if (isTaken || hello.toString() !== helloOf(options, before)) return refuse();
        isTaken = true;
        link.send(frameKinds.welcome, 0, new Uint8Array());
        resolve(link);
      }, refuse);
    });
  });
}

/** Tries until the next rank is up and says welcome. */
async function dialNext(options: RingOptions, givenUp: AbortSignal): Promise<PeerLink> {
  const next = (options.rank + 1) % options.addresses.length;
  let last = 'never tried';
  for (;;) {
    if (givenUp.aborted) throw new PeerError(`${nameOf(options, next)} does not answer (${last})`);
    try {
      const link = new PeerLink(await dial(options, next), nameOf(options, next));
      link.send(frameKinds.hello, 0, Buffer.from(helloOf(options, options.rank)));
      await link.receive(frameKinds.welcome, 0, 0, helloTimeoutMs);
      return link;
    } catch (error) {
      last = messageOf(error);
      await sleep(retryMs);
    }
  }
}

function dial(options: RingOptions, rank: number): Promise<Socket> {
  const host = options.addresses[rank] ?? '';
  const localAddress = options.addresses[options.rank] ?? '';
  const socket = connect({ host, port: options.port, localAddress });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

class TcpRing implements Ring {
  readonly #rank: number;
  readonly #ranks: number;
  readonly #stallMs: number;
  readonly #before: PeerLink;
  readonly #next: PeerLink;
  #sequence = 0;

  constructor(options: RingOptions, before: PeerLink, next: PeerLink) {
    this.#rank = options.rank;
    this.#ranks = options.addresses.length;
    this.#stallMs = options.stallTimeoutMs;
    this.#before = before;
    this.#next = next;
    for (const link of [before, next]) {
      // A ring with a gap is no ring: whoever waits is told, and the other neighbour sees the connection end.
      link.watch((error) => {
        before.destroy(error);
        next.destroy(error);
      });
    }
  }

  async allReduce(vector: Float64Array): Promise<void> {
    const ranks = this.#ranks;
    for (let step = 0; step < ranks - 1; step += 1) {
      const received = await this.#exchange(vector, this.#rank - step);
      const own = this.#chunk(vector, this.#rank - step - 1);
      for (let index = 0; index < own.length; index += 1)
        own[index] = (own[index] ?? 0) + (received[index] ?? Number.NaN);
    }
    for (let step = 0; step < ranks - 1; step += 1) {
      const received = await this.#exchange(vector, this.#rank + 1 - step);
      this.#chunk(vector, this.#rank - step).set(received);
    }
  }

  close(): void {
    this.#before.close();
    this.#next.close();
  }

  /** Sends chunk `index` on and receives the one before it. */
  async #exchange(vector: Float64Array, index: number): Promise<Float64Array> {
    const sent = this.#chunk(vector, index);
    const bytes = this.#chunk(vector, index - 1).byteLength;
    this.#sequence = (this.#sequence + 1) % 2 ** 32;
    this.#next.send(frameKinds.data, this.#sequence, new Uint8Array(sent.buffer, sent.byteOffset, sent.byteLength));
    const payload = await this.#before.receive(frameKinds.data, this.#sequence, bytes, this.#stallMs);
    const received = new Float64Array(bytes / 8);
    new Uint8Array(received.buffer).set(payload);
    return received;
  }

  #chunk(vector: Float64Array, index: number): Float64Array {
    const chunk = ((index % this.#ranks) + this.#ranks) % this.#ranks;
    const start = Math.floor((vector.length * chunk) / this.#ranks);
    return vector.subarray(start, Math.floor((vector.length * (chunk + 1)) / this.#ranks));
  }
}
