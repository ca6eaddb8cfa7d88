import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'vitest';
import { Accepted, afterwards, keyPairOf, never, type Pair } from '../loopback.fixture.ts';
import type { Listener, Transport } from '../transport.ts';
import { parseHint } from './parse-hint.ts';
import { createTcpTransport, type TcpTransportOptions } from './tcp-transport.ts';

/** Real TCP transports, sockets and proxies on the loopback interface for tests; all are closed after each test. */
export function openTransport(byte: number, options: Partial<TcpTransportOptions> = {}): Transport {
  const transport = createTcpTransport({ keyPair: keyPairOf(byte), ...options });
  afterwards(() => transport.close());
  return transport;
}

export async function listen(
  transport: Transport,
): Promise<{ readonly listener: Listener; readonly accepted: Accepted; readonly port: number }> {
  const accepted = new Accepted();
  const listener = await transport.listen(accepted.add, { address: '127.0.0.1', port: 0 });
  const endpoint = parseHint(listener.hints[0] ?? '');
  return { listener, accepted, port: endpoint === undefined ? expect.unreachable('no hint') : endpoint.port };
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

/** A TCP server that runs for the length of a test. Returns its port. */
export async function tcpServer(
  onSocket: (socket: Socket) => void,
  options: { readonly allowHalfOpen?: boolean } = {},
): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer(options, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterwards(async () => {
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
    afterwards(async () => void outer.destroy());
    inner.on('data', (chunk: Buffer) => {
      const altered = alter(chunk, outer);
      if (altered !== undefined) outer.write(altered);
    });
    outer.pipe(inner);
  });
}

/** A port that passes everything on both ways, as fast as it is taken. */
export async function tcpBetween(port: number): Promise<{
  readonly port: number;
  /** What passed so far. */
  readonly seen: readonly Uint8Array[];
  /** Ends all connections politely. */
  cut(): Promise<void>;
}> {
  const seen: Uint8Array[] = [];
  const sockets = new Set<Socket>();
  const between = await tcpServer(
    (inner) => {
      const outer = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      afterwards(async () => void outer.destroy());
      const ways = [
        [inner, outer],
        [outer, inner],
      ] as const;
      for (const [from, to] of ways) {
        sockets.add(from);
        from.on('error', () => undefined);
        from.on('data', (chunk: Buffer) => seen.push(Uint8Array.from(chunk)));
        from.on('close', () => to.destroy());
        from.pipe(to);
      }
    },
    { allowHalfOpen: true },
  );
  const cut = async () => {
    for (const socket of sockets) socket.end();
  };
  return { port: between, seen, cut };
}

export async function rawSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  afterwards(async () => void socket.destroy());
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
      afterwards(async () => void outer.destroy());
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
