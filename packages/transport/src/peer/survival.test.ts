import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../hostile/dice.ts';
import { openSmallBook, type SmallBook } from '../link/small-book.fixture.ts';
import { collect } from '../loopback.fixture.ts';
import type { EncryptedStream, Transport } from '../transport.ts';
import { decodePeerPacket } from '../udp/packet.ts';
import {
  afterTest,
  failureOf,
  keyPairOf,
  openRawSocket,
  openUdpProxy,
  untilTestEnds,
} from '../udp/raw-socket.fixture.ts';
import { type EchoPeer, exchange, hastyTimes, openEchoPeer, openPeer } from './echoes.fixture.ts';

const FAR = 2;

async function openBook(port = 0): Promise<SmallBook> {
  const book = await openSmallBook(port);
  book.hidesAddresses = true;
  afterTest(async () => await book[Symbol.asyncDispose]());
  return book;
}

async function connect(near: Transport, far: EchoPeer, hints: readonly string[]): Promise<EncryptedStream> {
  return await near.connect({ key: far.transport.key, hints }, { signal: untilTestEnds() });
}

/** A stream on which a number goes there and back. */
function pingOn(stream: EncryptedStream): () => Promise<void> {
  const messages = stream.messages()[Symbol.asyncIterator]();
  let count = 0;
  return async () => {
    count = (count + 1) % 256;
    await stream.send(Uint8Array.of(count));
    expect((await messages.next()).value).toEqual(Uint8Array.of(FAR, count));
  };
}

/** Numbers go there and back until the way is of the kind. */
async function pingUntil(
  ping: () => Promise<void>,
  stream: EncryptedStream,
  kind: 'direct' | 'relayed',
): Promise<void> {
  do await ping();
  while (stream.route?.kind !== kind);
}

describe('a stream', () => {
  test.each([1, 2, 3])('loses and doubles no byte when the links to the book break amid it (%i)', async (seed) => {
    const book = await openBook();
    const far = await openEchoPeer(FAR, { books: [book.url] });
    const stream = await connect(openPeer(1), far, [`book+${book.url}`]);
    const random = seededRandom(seed);
    const cuts = new Set([5 + Math.floor(random() * 25), 35 + Math.floor(random() * 25)]);
    const onMessage = (number: number) => {
      if (cuts.has(number)) book.cutLinks();
    };
    expect(await exchange(stream, { byte: FAR, seed, messages: 60, maxBytes: 60_000, onMessage })).toBe('all');
    expect(far.streams).toHaveLength(1);
    expect(book.introductions).toBeGreaterThan(cuts.size);
  });

  test.each([1, 2])('loses and doubles no byte when its packets are lost for a while amid it (%i)', async (seed) => {
    const far = await openEchoPeer(FAR);
    const proxy = await openUdpProxy({ host: '127.0.0.1', port: far.port });
    const stream = await connect(openPeer(1), far, [`udp://127.0.0.1:${proxy.address.port}`]);
    const random = seededRandom(seed);
    const cut = 5 + Math.floor(random() * 25);
    let isCut = false;
    // Until both have given up the path: from then on only knocks come from the dialler.
    proxy.alter = (bytes) => {
      if (isCut && decodePeerPacket(bytes)?.kind === 'knock') isCut = false;
      return isCut ? [] : [bytes];
    };
    const onMessage = (number: number) => {
      if (number === cut) isCut = true;
    };
    expect(await exchange(stream, { byte: FAR, seed, messages: 50, maxBytes: 60_000, onMessage })).toBe('all');
    expect(isCut).toBe(false);
    expect(far.streams).toHaveLength(1);
  });

  test('goes through the book, then from machine to machine, back through the book when that way dies, and on', async () => {
    const book = await openBook();
    const far = await openEchoPeer(FAR, { books: [book.url] });
    const proxy = await openUdpProxy({ host: '127.0.0.1', port: far.port });
    let isCut = true;
    proxy.alter = (bytes) => (isCut ? [] : [bytes]);
    const hints = [`udp://127.0.0.1:${proxy.address.port}`, `book+${book.url}`];
    const stream = await connect(openPeer(1), far, hints);
    const ping = pingOn(stream);
    await ping();
    expect([stream.route?.kind, stream.route?.through]).toEqual(['relayed', `book ${book.url}`]);
    isCut = false;
    await pingUntil(ping, stream, 'direct');
    const { relayedBytes } = book;
    for (let count = 0; count < 20; count += 1) await ping();
    expect(book.relayedBytes).toBe(relayedBytes);
    isCut = true;
    await pingUntil(ping, stream, 'relayed');
    isCut = false;
    await pingUntil(ping, stream, 'direct');
    expect(far.streams).toHaveLength(1);
    await stream.end();
    await stream.closed;
  });

  test('that loses its way does not wait for the others that are still tried', async () => {
    const book = await openBook();
    const far = await openEchoPeer(FAR, { books: [book.url] });
    const mute = await openRawSocket();
    const hints = [`udp://127.0.0.1:${mute.address.port}`, `book+${book.url}`];
    // Longer than a test may take.
    const stream = await connect(openPeer(1, { handshakeTimeoutMs: 60_000 }), far, hints);
    const ping = pingOn(stream);
    await ping();
    book.cutLinks();
    await ping();
    expect(far.streams).toHaveLength(1);
  });

  test('that is direct does not notice that all books are gone', async () => {
    const books = [await openBook(), await openBook()];
    for (const book of books) book.hidesAddresses = false;
    const far = await openEchoPeer(FAR, { books: books.map(({ url }) => url) });
    const near = openPeer(1);
    const hints = books.map(({ url }) => `book+${url}`);
    const stream = await connect(near, far, hints);
    const ping = pingOn(stream);
    await pingUntil(ping, stream, 'direct');
    for (const book of books) await book[Symbol.asyncDispose]();
    const { route } = stream;
    for (let count = 0; count < 500; count += 1) await ping();
    expect(stream.route).toEqual(route);
    await pingOn(await connect(near, far, hints))();
  });

  test('goes on by another book when one dies', async () => {
    const [first, second] = [await openBook(), await openBook()];
    const far = await openEchoPeer(FAR, { books: [first.url, second.url] });
    const stream = await connect(openPeer(1), far, [`book+${first.url}`, `book+${second.url}`]);
    const ping = pingOn(stream);
    await ping();
    expect(stream.route?.through).toBe(`book ${first.url}`);
    await first[Symbol.asyncDispose]();
    await ping();
    expect(stream.route?.through).toBe(`book ${second.url}`);
    expect(far.streams).toHaveLength(1);
  });

  test('ends on both sides when no way was found for too long, and says so', async () => {
    const times = { ...hastyTimes, resumeMs: 300 };
    const book = await openBook();
    const far = await openEchoPeer(FAR, { books: [book.url], times });
    const stream = await connect(openPeer(1, { times }), far, [`book+${book.url}`]);
    const ping = pingOn(stream);
    await ping();
    await book[Symbol.asyncDispose]();
    const failure = await failureOf(ping());
    expect([failure.code, failure.details]).toEqual(['STREAM_CLOSED', { resumeMs: 300 }]);
    const [farStream] = far.streams;
    await Promise.all([stream.closed, farStream?.closed]);
    expect((await failureOf(farStream?.send(new Uint8Array(1)) ?? Promise.resolve())).details).toEqual({
      resumeMs: 300,
    });
  });
});

describe('a peer that leaves', () => {
  test.each(['direct', 'relayed'] as const)('says so, on a way that is %s', async (kind) => {
    const book = await openBook();
    const far = await openEchoPeer(FAR, { books: [book.url] });
    const near = openPeer(1);
    const hints = kind === 'direct' ? far.hints : [`book+${book.url}`];
    const stream = await connect(near, far, hints);
    await pingOn(stream)();
    expect(stream.route?.kind).toBe(kind);
    await near.close();
    const [farStream] = far.streams;
    await farStream?.closed;
    const failure = await failureOf(farStream?.send(new Uint8Array(1)) ?? Promise.resolve());
    expect([failure.code, failure.details]).toEqual(['STREAM_CLOSED', { code: 'CANCELLED' }]);
    const again = openPeer(1);
    const second = await connect(again, far, hints);
    await pingOn(second)();
    await far.transport.close();
    await second.closed;
    const ended = await failureOf(second.send(new Uint8Array(1)));
    expect([ended.code, ended.details]).toEqual(['STREAM_CLOSED', { code: 'CANCELLED' }]);
  });

  test('and was listening leaves no link to its books', async () => {
    const book = await openBook();
    const far = await openEchoPeer(FAR, { books: [book.url] });
    expect(book.links).toBe(1);
    await pingOn(await connect(openPeer(1), far, [`book+${book.url}`]))();
    expect(book.links).toBe(2);
    await far.transport.close();
    while (book.links > 1) await new Promise(setImmediate);
  });
});

describe('a peer whose process was killed', () => {
  /** Starts one, and waits until it listens. */
  async function start(port: number): Promise<{ readonly child: ChildProcess; readonly port: number }> {
    const file = fileURLToPath(new URL('./echo-process.fixture.ts', import.meta.url));
    const child = spawn(process.execPath, [file, `${FAR}`, `${port}`], { stdio: ['ignore', 'pipe', 'inherit'] });
    afterTest(async () => void child.kill('SIGKILL'));
    const [line] = await once(child.stdout, 'data');
    return { child, port: Number(String(line)) };
  }

  test('and started again ends its streams with the reason, and lets new ones in, also those that waited', async () => {
    const { child, port } = await start(0);
    // A process may take its time to start.
    const near = openPeer(1, { handshakeTimeoutMs: 60_000, times: { ...hastyTimes, resumeMs: 60_000 } });
    const peer = { key: keyPairOf(FAR).key, hints: [`udp://127.0.0.1:${port}`] };
    const stream = await near.connect(peer, { signal: untilTestEnds() });
    const messages = stream.messages()[Symbol.asyncIterator]();
    await stream.send(Uint8Array.of(1));
    expect((await messages.next()).value).toEqual(Uint8Array.of(1));
    child.kill('SIGKILL');
    await once(child, 'close');
    const broken = failureOf(messages.next());
    // Until it is missed.
    while (stream.route !== undefined) await new Promise(setImmediate);
    const waiting = near.connect(peer, { signal: untilTestEnds() });
    await start(port);
    const failure = await broken;
    expect([failure.code, failure.details]).toEqual(['STREAM_CLOSED', { code: 'STREAM_CLOSED' }]);
    for (const next of [await waiting, await near.connect(peer, { signal: untilTestEnds() })]) {
      await next.send(Uint8Array.of(2));
      await next.end();
      expect(await collect(next)).toEqual([Uint8Array.of(2)]);
    }
  });
});

describe('whoever connects', () => {
  test('at the same time shares one connection', async () => {
    const far = await openEchoPeer(FAR);
    const proxy = await openUdpProxy({ host: '127.0.0.1', port: far.port });
    const near = openPeer(1);
    const hints = [`udp://127.0.0.1:${proxy.address.port}`];
    const streams = await Promise.all(Array.from({ length: 20 }, () => connect(near, far, hints)));
    await Promise.all(streams.map((stream) => pingOn(stream)()));
    const opened = proxy.passed.flatMap(({ bytes }) => {
      const packet = decodePeerPacket(Buffer.from(bytes));
      return packet?.kind === 'opened' ? [packet.streamId] : [];
    });
    expect(new Set(opened).size).toBe(1);
  });

  test('while a lost peer is looked for hears each time that it was not found, and gets through when it is', async () => {
    const book = await openBook();
    const { port } = new URL(book.url);
    const far = await openEchoPeer(FAR, { books: [book.url] });
    const near = openPeer(1);
    const hints = [`book+${book.url}`];
    const old = await connect(near, far, hints);
    const ping = pingOn(old);
    await ping();
    await book[Symbol.asyncDispose]();
    // Until it is missed.
    while (old.route !== undefined) await new Promise(setImmediate);
    expect((await failureOf(connect(near, far, hints))).code).toBe('PEER_UNREACHABLE');
    // The next search has not begun yet.
    expect((await failureOf(connect(near, far, hints))).code).toBe('PEER_UNREACHABLE');
    await openBook(Number(port));
    await ping();
    await pingOn(await connect(near, far, hints))();
    expect(far.streams).toHaveLength(2);
  });
});
