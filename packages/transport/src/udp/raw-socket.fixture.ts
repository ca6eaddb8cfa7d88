import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type LatentError, toLatentError } from '@latent/protocol';
import { afterEach, expect } from 'vitest';
import { createKeyPair, type KeyPair, randomBytes } from '../key-pair.ts';
import { decodePeerPacket, encodePeerPacket, type PeerPacket, TOKEN_BYTES } from './packet.ts';
import { formatUdpAddress, type UdpAddress } from './udp-address.ts';
import { openUdpPort, type UdpPort, type UdpPortOptions } from './udp-port.ts';

/** Real UDP sockets on the loopback interface for tests; all are closed after each test. */
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Runs after the test, before what was opened earlier is closed. */
export function afterTest(cleanup: () => Promise<void>): void {
  cleanups.push(cleanup);
}

export function keyPairOf(byte: number): KeyPair {
  return createKeyPair(new Uint8Array(32).fill(byte));
}

export function openPort(options: Partial<UdpPortOptions> = {}): UdpPort {
  const port = openUdpPort({ address: '127.0.0.1', port: 0, ...options });
  afterTest(() => port.close());
  return port;
}

export function addressOf(port: UdpPort): UdpAddress {
  return { host: '127.0.0.1', port: port.port };
}

/** Aborts when the test is over. */
export function untilTestEnds(): AbortSignal {
  const ending = new AbortController();
  afterTest(async () => ending.abort());
  return ending.signal;
}

export interface Received {
  readonly bytes: Uint8Array;
  readonly from: UdpAddress;
}

/** A socket that can send anything, and keeps what it receives. */
export interface RawSocket {
  readonly address: UdpAddress;
  send(bytes: Uint8Array, to: UdpAddress): void;
  sendPacket(packet: PeerPacket, to: UdpAddress): void;
  /** The next datagram, or the next that the function makes something of; others before it are skipped. */
  next(): Promise<Received>;
  nextPacket<Kind extends PeerPacket['kind']>(kind: Kind): Promise<PeerPacket & { readonly kind: Kind }>;
  /** Everything so far. */
  readonly received: readonly Received[];
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

export async function openRawSocket(host = '127.0.0.1'): Promise<RawSocket> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const received: Received[] = [];
  let read = 0;
  let arrival = Promise.withResolvers<void>();
  let sentBytes = 0;
  let receivedBytes = 0;
  socket.on('message', (bytes, { address, port }) => {
    received.push({ bytes, from: { host: address, port } });
    receivedBytes += bytes.byteLength;
    arrival.resolve();
    arrival = Promise.withResolvers();
  });
  socket.on('error', () => undefined);
  socket.bind(0, host);
  await once(socket, 'listening');
  afterTest(async () => void socket.close());
  const send = (bytes: Uint8Array, to: UdpAddress) => {
    sentBytes += bytes.byteLength;
    socket.send(bytes, to.port, to.host);
  };
  const next = async (): Promise<Received> => {
    for (;;) {
      const one = received[read];
      if (one !== undefined) {
        read += 1;
        return one;
      }
      await arrival.promise;
    }
  };
  return {
    address: { host, port: socket.address().port },
    send,
    sendPacket: (packet, to) => send(encodePeerPacket(packet), to),
    next,
    nextPacket: async <Kind extends PeerPacket['kind']>(kind: Kind) => {
      for (;;) {
        const packet = decodePeerPacket((await next()).bytes);
        if (packet !== undefined && isKind(packet, kind)) return packet;
      }
    },
    received,
    get sentBytes() {
      return sentBytes;
    },
    get receivedBytes() {
      return receivedBytes;
    },
  };
}

function isKind<Kind extends PeerPacket['kind']>(
  packet: PeerPacket,
  kind: Kind,
): packet is PeerPacket & { readonly kind: Kind } {
  return packet.kind === kind;
}

/** Resolves when the port has dealt with everything that was sent to it before: the kernel keeps the order. */
export async function dealtWith(port: UdpPort, to: UdpAddress = addressOf(port)): Promise<void> {
  const socket = createSocket(to.host.includes(':') ? 'udp6' : 'udp4');
  const token = randomBytes(TOKEN_BYTES);
  const heard = Promise.withResolvers<void>();
  const stop = port.onPacket((packet) => {
    if (Buffer.compare(packet.token, token) === 0) heard.resolve();
  });
  socket.send(encodePeerPacket({ kind: 'cookie', token, cookie: new Uint8Array(16) }), to.port, to.host);
  await heard.promise;
  stop();
  socket.close();
}

/** A port whose packets pass a function on their way; both ways. What it returns instead is sent on. */
export interface UdpProxy {
  /** What the near side dials. */
  readonly address: UdpAddress;
  /** Everything that passed, as it came. */
  readonly passed: readonly { readonly toFar: boolean; readonly bytes: Uint8Array }[];
  /** Sends something more, as if it came from the near side. */
  inject(bytes: Uint8Array, toFar: boolean): void;
  alter: (bytes: Buffer, toFar: boolean) => readonly Buffer[];
}

/** One near side and one far side. */
export async function openUdpProxy(far: UdpAddress): Promise<UdpProxy> {
  const outer = createSocket('udp4');
  const inner = createSocket('udp4');
  outer.bind(0, '127.0.0.1');
  inner.bind(0, '127.0.0.1');
  await Promise.all([once(outer, 'listening'), once(inner, 'listening')]);
  afterTest(async () => {
    outer.close();
    inner.close();
  });
  for (const socket of [outer, inner]) socket.on('error', () => undefined);
  const passed: { readonly toFar: boolean; readonly bytes: Uint8Array }[] = [];
  let near: UdpAddress | undefined;
  const inject = (bytes: Uint8Array, toFar: boolean) => {
    if (toFar) inner.send(bytes, far.port, far.host);
    else if (near !== undefined) outer.send(bytes, near.port, near.host);
  };
  const proxy: UdpProxy = {
    address: { host: '127.0.0.1', port: outer.address().port },
    passed,
    inject,
    alter: (bytes) => [bytes],
  };
  outer.on('message', (bytes, { address, port }) => {
    near = { host: address, port };
    passed.push({ toFar: true, bytes: Uint8Array.from(bytes) });
    for (const one of proxy.alter(bytes, true)) inject(one, true);
  });
  inner.on('message', (bytes) => {
    passed.push({ toFar: false, bytes: Uint8Array.from(bytes) });
    for (const one of proxy.alter(bytes, false)) inject(one, false);
  });
  return proxy;
}

export async function failureOf(promise: Promise<unknown>): Promise<LatentError> {
  return await promise.then(
    () => expect.unreachable('it did not fail'),
    (thrown: unknown) => toLatentError(thrown),
  );
}

export function hintOf(address: UdpAddress): string {
  return formatUdpAddress(address);
}

export interface StreamPacket {
  readonly streamId: number;
  /** Counts packets, from 0. */
  readonly number: number;
  readonly payload?: Uint8Array;
  /** Bits: 1 data, 2 end, 4 gaps, 8 a message by itself, 16 destroy, 32 heartbeat. Default data. */
  readonly kind?: number;
  readonly acknowledged?: number;
  readonly window?: number;
  readonly offset?: number;
}

/** A packet of UDX, as anybody can make one. */
export function streamPacket(packet: StreamPacket): Uint8Array {
  const { streamId, number, payload = new Uint8Array(0), kind = 1, acknowledged = 0, window = 1 << 20 } = packet;
  const bytes = Buffer.alloc(20 + payload.byteLength);
  bytes.set([0xff, 1, kind, packet.offset ?? 0]);
  bytes.writeUInt32LE(streamId, 4);
  bytes.writeUInt32LE(window, 8);
  bytes.writeUInt32LE(number, 12);
  bytes.writeUInt32LE(acknowledged, 16);
  bytes.set(payload, 20);
  return bytes;
}
