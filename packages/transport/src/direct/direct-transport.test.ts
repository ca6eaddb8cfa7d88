import { once } from 'node:events';
import { createServer as createTcpServer, type Server, type Socket, connect as tcpConnect } from 'node:net';
import { type LatentError, toLatentError } from '@latent/protocol';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { createKeyPair } from '../key-pair.ts';
import { type EncryptedStream, type Listener, MAX_MESSAGE_BYTES, type Transport } from '../transport.ts';
import { createDirectTransport, type DirectTransportOptions } from './direct-transport.ts';
import { parseHint } from './parse-hint.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function keyPairOf(byte: number) {
  return createKeyPair(new Uint8Array(32).fill(byte));
}

function open(byte: number, options: Partial<DirectTransportOptions> = {}): Transport {
  const transport = createDirectTransport({ keyPair: keyPairOf(byte), ...options });
  cleanups.push(() => transport.close());
  return transport;
}

/** Streams that a listener hands out, to be awaited one by one. */
class Accepted {
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

async function listen(transport: Transport): Promise<{ listener: Listener; accepted: Accepted; port: number }> {
  const accepted = new Accepted();
  const listener = await transport.listen(accepted.add, { address: '127.0.0.1', port: 0 });
  return { listener, accepted, port: portOf(listener) };
}

function portOf(listener: Listener): number {
  return parseHint(listener.hints[0] ?? '')?.port ?? 0;
}

interface Pair {
  readonly near: EncryptedStream;
  readonly far: EncryptedStream;
}

async function openPair(options: Partial<DirectTransportOptions> = {}, through?: (port: number) => Promise<number>) {
  const server = open(2, options);
  const { listener, accepted, port } = await listen(server);
  const hint = through === undefined ? listener.hints[0]! : `tcp://127.0.0.1:${await through(port)}`;
  const client = open(1, options);
  const near = await client.connect({ key: server.key, hints: [hint] }, { signal: never() });
  const far = await accepted.next();
  return { near, far } satisfies Pair;
}

function never(): AbortSignal {
  return new AbortController().signal;
}

async function collect(stream: EncryptedStream): Promise<Uint8Array[]> {
  const messages: Uint8Array[] = [];
  for await (const message of stream.messages()) messages.push(message);
  return messages;
}

async function failureOf(promise: Promise<unknown>): Promise<LatentError> {
  return await promise.then(
    () => expect.unreachable('it did not fail'),
    (thrown: unknown) => toLatentError(thrown),
  );
}

/** A TCP server that runs for the length of a test. */
async function tcpServer(onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createTcpServer((socket) => {
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

/** A proxy that can go silent as a vanished machine does: nothing passes, and no connection closes. */
async function silenceableProxy(port: number): Promise<{ port: number; silence(): void }> {
  let silent = false;
  const proxyPort = await tcpServer((inner) => {
    const outer = tcpConnect(port, '127.0.0.1');
    outer.on('error', () => undefined);
    cleanups.push(async () => void outer.destroy());
    inner.on('data', (chunk: Buffer) => silent || outer.write(chunk));
    outer.on('data', (chunk: Buffer) => silent || inner.write(chunk));
  });
  return {
    port: proxyPort,
    silence: () => {
      silent = true;
    },
  };
}

async function rawSocket(port: number): Promise<Socket> {
  const socket = tcpConnect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  cleanups.push(async () => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (message: Uint8Array) => new TextDecoder().decode(message);

describe('messages', () => {
  test('each side learns the key of the other', async () => {
    const { near, far } = await openPair();
    expect(near.remoteKey).toBe(keyPairOf(2).key);
    expect(far.remoteKey).toBe(keyPairOf(1).key);
  });

  test('any sequence of messages arrives unchanged and in order, both ways at once', async () => {
    const server = open(2);
    const { listener, accepted } = await listen(server);
    const client = open(1);
    const messages = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(messages, messages, async (there, back) => {
        const near = await client.connect({ key: server.key, hints: listener.hints }, { signal: never() });
        const far = await accepted.next();
        const sendAll = async (stream: EncryptedStream, all: readonly Uint8Array[]) => {
          for (const message of all) await stream.send(message);
          await stream.end();
        };
        const [, , atFar, atNear] = await Promise.all([
          sendAll(near, there),
          sendAll(far, back),
          collect(far),
          collect(near),
        ]);
        expect(atFar.map((message) => [...message])).toEqual(there.map((message) => [...message]));
        expect(atNear.map((message) => [...message])).toEqual(back.map((message) => [...message]));
        await Promise.all([near.closed, far.closed]);
      }),
      { numRuns: 50 },
    );
  });

  test('sends that are not awaited keep their order, and an end after them comes last', async () => {
    const { near, far } = await openPair();
    const sends = Array.from({ length: 200 }, (_, index) => near.send(bytes(`${index}`)));
    await Promise.all([...sends, near.end(), far.end()]);
    expect((await collect(far)).map(text)).toEqual(Array.from({ length: 200 }, (_, index) => `${index}`));
  });

  test('a message of the largest size passes; one byte more is refused and the stream stays whole', async () => {
    const { near, far } = await openPair();
    const received = collect(far);
    await near.send(new Uint8Array(MAX_MESSAGE_BYTES).fill(7));
    expect((await failureOf(near.send(new Uint8Array(MAX_MESSAGE_BYTES + 1)))).code).toBe('MESSAGE_TOO_LARGE');
    await near.end();
    expect((await received).map((message) => message.byteLength)).toEqual([MAX_MESSAGE_BYTES]);
  });

  test('after one side has ended the other may go on', async () => {
    const { near, far } = await openPair();
    await near.end();
    expect(await collect(far)).toEqual([]);
    expect((await failureOf(near.send(bytes('late')))).code).toBe('STREAM_CLOSED');
    await far.send(bytes('still here'));
    await far.end();
    expect((await collect(near)).map(text)).toEqual(['still here']);
    await Promise.all([near.closed, far.closed]);
  });

  test('what was sent before both sides ended reaches a reader who starts late', async () => {
    const { near, far } = await openPair({ idleTimeoutMs: 60 });
    const sending = (async () => {
      for (let index = 0; index < 20; index += 1) await near.send(new Uint8Array(100_000));
      await near.end();
    })();
    await far.end();
    await collect(near);
    // Several heartbeats of the lagging side go by before it reads.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await collect(far)).toHaveLength(20);
    await Promise.all([sending, near.closed, far.closed]);
  });

  test('100 streams run beside each other', async () => {
    const server = open(2);
    const accepted = (stream: EncryptedStream) =>
      void (async () => {
        for await (const message of stream.messages()) await stream.send(message);
        await stream.end();
      })();
    const listener = await server.listen(accepted, { address: '127.0.0.1', port: 0 });
    const client = open(1);
    const echoes = Array.from({ length: 100 }, async (_, index) => {
      const stream = await client.connect({ key: server.key, hints: listener.hints }, { signal: never() });
      await stream.send(bytes(`stream ${index}`));
      await stream.end();
      return (await collect(stream)).map(text);
    });
    expect(await Promise.all(echoes)).toEqual(Array.from({ length: 100 }, (_, index) => [`stream ${index}`]));
  });
});

describe('back-pressure', () => {
  test('a peer that does not read stops the sender after a bounded number of bytes', async () => {
    const { near, far } = await openPair();
    const message = new Uint8Array(MAX_MESSAGE_BYTES);
    const total = 200;
    let sent = 0;
    const sending = (async () => {
      for (; sent < total; sent += 1) await near.send(message);
      await near.end();
    })();
    let before = -1;
    while (before !== sent) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    // What the two kernels buffer on a loopback connection, some megabytes; far from the 50 MiB on offer.
    expect(sent).toBeLessThan(total / 2);
    expect(await collect(far)).toHaveLength(total);
    await sending;
  });

  test('a lagging reader is not taken for a dead peer', async () => {
    const { near, far } = await openPair({ idleTimeoutMs: 60 });
    const sending = (async () => {
      for (let index = 0; index < 100; index += 1) await near.send(new Uint8Array(MAX_MESSAGE_BYTES));
      await near.end();
    })();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await collect(far)).toHaveLength(100);
    await sending;
  });
});

describe('broken streams', () => {
  test('a peer that vanishes without closing is noticed by its silence', async () => {
    let silence = () => {};
    const { near, far } = await openPair({ idleTimeoutMs: 150 }, async (port) => {
      const proxy = await silenceableProxy(port);
      silence = proxy.silence;
      return proxy.port;
    });
    await near.send(bytes('hello'));
    silence();
    const failure = await failureOf(collect(near));
    expect(failure.code).toBe('STREAM_CLOSED');
    expect(failure.details).toEqual({ idleTimeoutMs: 150 });
    await Promise.all([near.closed, far.closed]);
  });

  test('an idle stream whose peer lives outlasts the time limit', async () => {
    const { near, far } = await openPair({ idleTimeoutMs: 60 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await near.send(bytes('still here'));
    await near.end();
    expect((await collect(far)).map(text)).toEqual(['still here']);
  });

  test('a destroyed stream breaks on the other side, after the messages that were before', async () => {
    const { near, far } = await openPair();
    await near.send(bytes('last words'));
    const iterator = far.messages()[Symbol.asyncIterator]();
    expect(text((await iterator.next()).value ?? new Uint8Array())).toBe('last words');
    near.destroy();
    near.destroy();
    expect((await failureOf(iterator.next())).code).toBe('STREAM_CLOSED');
    expect((await failureOf(far.send(bytes('?')))).code).toBe('STREAM_CLOSED');
    expect((await failureOf(near.send(bytes('?')))).code).toBe('STREAM_CLOSED');
    expect((await failureOf(near.end())).code).toBe('STREAM_CLOSED');
    await Promise.all([near.closed, far.closed]);
  });

  test('a send that waits for room fails when the peer drops the stream', async () => {
    const { near, far } = await openPair();
    const sending = failureOf(
      (async () => {
        while (true) await near.send(new Uint8Array(MAX_MESSAGE_BYTES));
      })(),
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    far.destroy();
    expect((await sending).code).toBe('STREAM_CLOSED');
  });

  test('a connection cut by a third party is no end', async () => {
    const { near, far } = await openPair({}, async (port) =>
      tcpServer((inner) => {
        const outer = tcpConnect(port, '127.0.0.1');
        outer.on('error', () => undefined);
        inner.pipe(outer, { end: false });
        outer.pipe(inner);
        inner.on('close', () => outer.destroy());
        // Closes the connection politely once the first message (and only that) has gone by.
        let passed = 0;
        inner.on('data', (chunk: Buffer) => {
          passed += chunk.byteLength;
          if (passed > 1000) outer.end();
        });
      }),
    );
    await near.send(new Uint8Array(1000));
    expect((await failureOf(collect(far))).code).toBe('STREAM_CLOSED');
  });

  test('leaving the loop over the messages destroys the stream', async () => {
    const { near, far } = await openPair();
    await near.send(bytes('one'));
    for await (const _message of far.messages()) break;
    await Promise.all([near.closed, far.closed]);
  });

  test('the messages of a stream can be iterated only once', async () => {
    const { near, far } = await openPair();
    await near.end();
    await collect(far);
    expect((await failureOf(collect(far))).code).toBe('INTERNAL');
  });

  test('closing the transport drops dialled streams, closing the listener accepted ones', async () => {
    const server = open(2);
    const { listener, accepted } = await listen(server);
    const client = open(1);
    const peer = { key: server.key, hints: listener.hints };
    const first = await client.connect(peer, { signal: never() });
    await listener.close();
    await Promise.all([first.closed, (await accepted.next()).closed]);
    expect((await failureOf(client.connect(peer, { signal: never() }))).code).toBe('PEER_UNREACHABLE');
    await client.close();
    expect((await failureOf(client.connect(peer, { signal: never() }))).code).toBe('CANCELLED');
  });
});

describe('dialling', () => {
  test('another key at the address is named', async () => {
    const { listener, accepted } = await listen(open(2));
    const failure = await failureOf(
      open(1).connect({ key: keyPairOf(3).key, hints: listener.hints }, { signal: never() }),
    );
    expect(failure.code).toBe('PEER_WRONG_KEY');
    expect(failure.details).toEqual({ expected: keyPairOf(3).key, actual: keyPairOf(2).key });
    const dropped = await accepted.next();
    await dropped.closed;
  });

  test('hints that lead nowhere, to others, or to noise do not hide the one that is right', async () => {
    const { listener: wrong } = await listen(open(3));
    const noise = await tcpServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const mute = await tcpServer(() => undefined);
    const server = open(2);
    const { listener } = await listen(server);
    const hints = ['udp://x', ...wrong.hints, `tcp://127.0.0.1:${noise}`, `tcp://127.0.0.1:${mute}`, ...listener.hints];
    const stream = await open(1).connect({ key: server.key, hints }, { signal: never() });
    expect(stream.remoteKey).toBe(server.key);
  });

  test.each([
    ['no hints', []],
    ['a hint of another transport', ['quic://127.0.0.1:1']],
    ['a port where nobody listens', ['tcp://127.0.0.1:1']],
  ])('%s: unreachable', async (_name, hints) => {
    const failure = await failureOf(open(1).connect({ key: keyPairOf(2).key, hints }, { signal: never() }));
    expect(failure.code).toBe('PEER_UNREACHABLE');
  });

  test('one who answers the handshake with nothing is given up after the time limit', async () => {
    const port = await tcpServer(() => undefined);
    const transport = open(1, { handshakeTimeoutMs: 50 });
    const failure = await failureOf(
      transport.connect({ key: keyPairOf(2).key, hints: [`tcp://127.0.0.1:${port}`] }, { signal: never() }),
    );
    expect(failure.code).toBe('PEER_UNREACHABLE');
  });

  test('an abort during the handshake ends it at once', async () => {
    const controller = new AbortController();
    const port = await tcpServer((socket) => socket.once('data', () => controller.abort()));
    const failure = await failureOf(
      open(1).connect({ key: keyPairOf(2).key, hints: [`tcp://127.0.0.1:${port}`] }, { signal: controller.signal }),
    );
    expect(failure.code).toBe('CANCELLED');
  });

  test('an abort before the first hint is tried, or by a time limit, has its own code', async () => {
    const peer = { key: keyPairOf(2).key, hints: [`tcp://127.0.0.1:${await tcpServer(() => undefined)}`] };
    expect((await failureOf(open(1).connect(peer, { signal: AbortSignal.abort() }))).code).toBe('CANCELLED');
    expect((await failureOf(open(1).connect(peer, { signal: AbortSignal.timeout(30) }))).code).toBe('TIMED_OUT');
  });
});

describe('hostile peers', () => {
  test.each([
    ['text of another protocol', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['a frame of 16 MiB', Buffer.from([0xff, 0xff, 0xff, 0])],
    ['an empty frame', Buffer.from([0, 0, 0])],
    ['a short frame', Buffer.concat([Buffer.from([3, 0, 0]), Buffer.alloc(3)])],
    ['a public key of small order', Buffer.concat([Buffer.from([32, 0, 0]), Buffer.alloc(32)])],
    ['a frame full of ones', Buffer.concat([Buffer.from([64, 0, 0]), Buffer.alloc(64, 0xff)])],
  ])('%s is dropped, and the listener goes on', async (_name, garbage) => {
    const refused: LatentError[] = [];
    const server = open(2, { onRefused: ({ error }) => refused.push(error) });
    const { listener, accepted, port } = await listen(server);
    const socket = await rawSocket(port);
    socket.write(garbage);
    socket.resume();
    await once(socket, 'close');
    expect(refused.map((error) => error.code)).toEqual([
      garbage[0] === 0xff || garbage[0] === 0x47 ? 'MESSAGE_TOO_LARGE' : 'PEER_UNREACHABLE',
    ]);
    await open(1).connect({ key: server.key, hints: listener.hints }, { signal: never() });
    expect((await accepted.next()).remoteKey).toBe(keyPairOf(1).key);
    expect(accepted.count).toBe(1);
  });

  test('any bytes are survived', async () => {
    const server = open(2, { handshakeTimeoutMs: 50 });
    const { listener, accepted, port } = await listen(server);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 400 }), async (garbage) => {
        const socket = await rawSocket(port);
        socket.resume();
        socket.end(garbage);
        await once(socket, 'close');
      }),
      { numRuns: 50 },
    );
    expect(accepted.count).toBe(0);
    await open(1).connect({ key: server.key, hints: listener.hints }, { signal: never() });
    expect((await accepted.next()).remoteKey).toBe(keyPairOf(1).key);
  });

  test('one who sends a byte now and then is dropped at the time limit', async () => {
    const server = open(2, { handshakeTimeoutMs: 100 });
    const { accepted, port } = await listen(server);
    const socket = await rawSocket(port);
    socket.resume();
    const drip = setInterval(() => socket.write(Buffer.from([32])), 20);
    await once(socket, 'close');
    clearInterval(drip);
    expect(accepted.count).toBe(0);
  });

  test('a recorded conversation played again opens no stream', async () => {
    const recorded: Buffer[] = [];
    const server = open(2, { handshakeTimeoutMs: 200 });
    const { accepted, port } = await listen(server);
    const proxyPort = await tcpServer((inner) => {
      const outer = tcpConnect(port, '127.0.0.1');
      outer.on('error', () => undefined);
      inner.on('data', (chunk: Buffer) => recorded.push(chunk));
      inner.pipe(outer).pipe(inner);
    });
    const peer = { key: server.key, hints: [`tcp://127.0.0.1:${proxyPort}`] };
    const near = await open(1).connect(peer, { signal: never() });
    await near.send(bytes('pay 5'));
    await near.end();
    expect((await collect(await accepted.next())).map(text)).toEqual(['pay 5']);
    const replay = await rawSocket(port);
    replay.resume();
    replay.write(Buffer.concat(recorded));
    await once(replay, 'close');
    expect(accepted.count).toBe(1);
  });

  test('a flipped bit on the way breaks the stream', async () => {
    let corrupt = false;
    const { near, far } = await openPair({}, (port) =>
      tcpServer((inner) => {
        const outer = tcpConnect(port, '127.0.0.1');
        outer.on('error', () => undefined);
        outer.pipe(inner);
        inner.on('data', (chunk: Buffer) => {
          if (corrupt) chunk[chunk.byteLength - 1] = (chunk.at(-1) ?? 0) ^ 1;
          outer.write(chunk);
        });
      }),
    );
    corrupt = true;
    await near.send(bytes('x'));
    expect((await failureOf(collect(far))).code).toBe('STREAM_CLOSED');
  });

  test('a known peer that announces more than a message is dropped with the code', async () => {
    const { near, far } = await openPair({}, (port) =>
      tcpServer((inner) => {
        const outer = tcpConnect(port, '127.0.0.1');
        outer.on('error', () => undefined);
        outer.pipe(inner);
        inner.on('data', (chunk: Buffer) => {
          // The first frame of the application is the only one that is longer than the handshake's.
          if (chunk.byteLength > 300) chunk.set([0xff, 0xff, 0xff]);
          outer.write(chunk);
        });
      }),
    );
    const received = failureOf(collect(far));
    await near.send(new Uint8Array(1000));
    expect((await received).code).toBe('MESSAGE_TOO_LARGE');
  });
});

describe('limits', () => {
  test('connections beyond the limit are closed, and room comes back', async () => {
    const refused: LatentError[] = [];
    const server = open(2, {
      limits: { maxConnectionsPerAddress: 2 },
      onRefused: ({ error }) => refused.push(error),
    });
    const { listener, accepted } = await listen(server);
    const peer = { key: server.key, hints: listener.hints };
    const client = open(1);
    const first = await client.connect(peer, { signal: never() });
    await client.connect(peer, { signal: never() });
    expect((await failureOf(client.connect(peer, { signal: never() }))).code).toBe('PEER_UNREACHABLE');
    expect(refused.map((error) => error.code)).toEqual(['NOT_ALLOWED']);
    first.destroy();
    await (await accepted.next()).closed;
    await client.connect(peer, { signal: never() });
  });

  test('an address that cannot be bound is a wrong setting', async () => {
    const { port } = await listen(open(2));
    const failure = await failureOf(open(3).listen(() => undefined, { address: '127.0.0.1', port }));
    expect(failure.code).toBe('CONFIG_INVALID');
  });

  test('a listener on all addresses names those that others can reach', async () => {
    const listener = await open(2).listen(() => undefined, { address: '0.0.0.0', port: 0 });
    expect(listener.hints.length).toBeGreaterThan(0);
    expect(listener.hints.filter((hint) => hint.includes('0.0.0.0'))).toEqual([]);
  });
});
