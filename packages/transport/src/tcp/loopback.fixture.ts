import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type LatentError, toLatentError } from '@latent/protocol';
import { afterEach, expect } from 'vitest';
import { createKeyPair, type KeyPair } from '../key-pair.ts';
import type { EncryptedStream, Listener, Transport } from '../transport.ts';
import { parseHint } from './parse-hint.ts';
import { createTcpTransport, type TcpTransportOptions } from './tcp-transport.ts';

/** Real transports, sockets and proxies on the loopback interface for tests; all are closed after each test. */
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export function keyPairOf(byte: number): KeyPair {
  return createKeyPair(new Uint8Array(32).fill(byte));
}

export function openTransport(byte: number, options: Partial<TcpTransportOptions> = {}): Transport {
  const transport = createTcpTransport({ keyPair: keyPairOf(byte), ...options });
  cleanups.push(() => transport.close());
  return transport;
}

/** Streams that a listener hands out, to be awaited one by one. */
export class Accepted {
  readonly #streams: EncryptedStream[] = [];
  readonly #waiting: ((stream: EncryptedStream) => void)[] = [];
  count = 0;

  readonly add = (stream: EncryptedStream): void => {
    this.count += 1;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#streams.push(stream);
    else waiting(stream);
  };

  next(): Promise<EncryptedStream> {
    const stream = this.#streams.shift();
    return stream === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(stream);
  }
}

export async function listen(
  transport: Transport,
): Promise<{ readonly listener: Listener; readonly accepted: Accepted; readonly port: number }> {
  const accepted = new Accepted();
  const listener = await transport.listen(accepted.add, { address: '127.0.0.1', port: 0 });
  const endpoint = parseHint(listener.hints[0] ?? '');
  return { listener, accepted, port: endpoint === undefined ? expect.unreachable('no hint') : endpoint.port };
}

export interface Pair {
  readonly near: EncryptedStream;
  readonly far: EncryptedStream;
}

/** @param through a proxy to be put between: gets the port of the listener, returns its own */
export async function openPair(
  options: Partial<TcpTransportOptions> = {},
  through: (port: number) => Promise<number> = (port) => Promise.resolve(port),
): Promise<Pair> {
  const server = openTransport(2, options);
  const { accepted, port } = await listen(server);
  const hints = [`tcp://127.0.0.1:${await through(port)}`];
  const near = await openTransport(1, options).connect({ key: server.key, hints }, { signal: never() });
  return { near, far: await accepted.next() };
}

export function never(): AbortSignal {
  return new AbortController().signal;
}

export async function collect(stream: EncryptedStream): Promise<Uint8Array[]> {
  const messages: Uint8Array[] = [];
  for await (const message of stream.messages()) messages.push(message);
  return messages;
}

export async function failureOf(promise: Promise<unknown>): Promise<LatentError> {
  return await promise.then(
    () => expect.unreachable('it did not fail'),
    (thrown: unknown) => toLatentError(thrown),
  );
}

/** A TCP server that runs for the length of a test. Returns its port. */
export async function tcpServer(onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const address = server.address();
  return address === null || typeof address === 'string' ? expect.unreachable('no port') : address.port;
}

/** A TCP server that passes everything on, but for what `alter` does to the chunks of the client. Returns its port. */
export async function tcpProxy(
  port: number,
  alter: (chunk: Buffer, outer: Socket) => Buffer | undefined = (chunk) => chunk,
): Promise<number> {
  return await tcpServer((inner) => {
    const outer = connect(port, '127.0.0.1');
    outer.on('error', () => undefined);
    cleanups.push(async () => void outer.destroy());
    inner.on('data', (chunk: Buffer) => {
      const altered = alter(chunk, outer);
      if (altered !== undefined) outer.write(altered);
    });
    outer.pipe(inner);
  });
}

export async function rawSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  cleanups.push(async () => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** A pair whose peers stop hearing each other, without any connection being closed, as when a machine vanishes. */
export async function openVanishingPair(idleTimeoutMs: number): Promise<Pair & { readonly vanish: () => void }> {
  let silent = false;
  const pair = await openPair({ idleTimeoutMs }, (port) =>
    tcpServer((inner) => {
      const outer = connect(port, '127.0.0.1');
      outer.on('error', () => undefined);
      cleanups.push(async () => void outer.destroy());
      inner.on('data', (chunk: Buffer) => silent || outer.write(chunk));
      outer.on('data', (chunk: Buffer) => silent || inner.write(chunk));
    }),
  );
  const vanish = () => {
    silent = true;
  };
  return { ...pair, vanish };
}

/** Resolves when a peer that vanishes now would have been noticed. */
export async function idleTimeoutPassed(idleTimeoutMs: number): Promise<void> {
  const { near, far, vanish } = await openVanishingPair(idleTimeoutMs);
  vanish();
  await Promise.all([near.closed, far.closed]);
}

export function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function toText(message: Uint8Array): string {
  return new TextDecoder().decode(message);
}
