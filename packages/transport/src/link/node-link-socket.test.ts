import { once } from 'node:events';
import { MAX_RELAY_PAYLOAD_BYTES, RELAY_HEADER_BYTES } from '@latent/protocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { afterTest } from '../udp/raw-socket.fixture.ts';
import { createQueue, openHostileBook, openRawServer } from './hostile-book.fixture.ts';
import { openNodeLinkSocket } from './node-link-socket.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** A socket, and what its listener hears. */
function open(bookUrl: string) {
  const opened = Promise.withResolvers<void>();
  const texts = createQueue<string>();
  const bytes = createQueue<Uint8Array>();
  const closed = Promise.withResolvers<string>();
  const reasons: string[] = [];
  const socket = openNodeLinkSocket(bookUrl.replace('http', 'ws'), {
    onOpen: opened.resolve,
    onText: texts.put,
    onBytes: bytes.put,
    onClosed: (reason) => {
      reasons.push(reason);
      closed.resolve(reason);
    },
  });
  afterTest(async () => {
    socket.close();
    await closed.promise;
    // Told once, whatever happened.
    expect(reasons).toHaveLength(1);
  });
  return { socket, opened: opened.promise, texts, bytes, closed: closed.promise };
}

describe("a link's socket", () => {
  test('is dropped when the book is silent for long, and not while it pings', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const book = await openHostileBook();
    const { socket, opened, closed, texts } = open(book.url);
    const end = await book.nextLink();
    await opened;
    for (let count = 0; count < 5; count += 1) {
      vi.advanceTimersByTime(49_000);
      end.ping();
      end.send('after the ping');
      await texts.take();
    }
    socket.sendText('{"kind":"close","channel":1}');
    expect(await end.next()).toEqual({ kind: 'close', channel: 1 });
    vi.advanceTimersByTime(50_000);
    expect(await closed).toBe('closed with 1006');
    await end.ended;
  });

  test('takes frames up to their limit, and drops a book that sends longer ones', async () => {
    const book = await openHostileBook();
    const { bytes, closed } = open(book.url);
    const end = await book.nextLink();
    const longest = MAX_RELAY_PAYLOAD_BYTES + RELAY_HEADER_BYTES;
    end.send(new Uint8Array(longest));
    expect((await bytes.take()).byteLength).toBe(longest);
    end.send(new Uint8Array(longest + 1));
    expect(await closed).toMatch(/payload size/i);
  });

  test('is dropped when the book takes nothing: what waits for it is bounded', async () => {
    const book = await openHostileBook();
    const { socket, opened, closed } = open(book.url);
    const end = await book.nextLink();
    await opened;
    end.stopReading();
    const text = 'x'.repeat(8 * 1024);
    let sentBytes = 0;
    // Nothing else runs meanwhile, so that the book could not have read it.
    while (sentBytes < 64 * 1024 * 1024) {
      socket.sendText(text);
      sentBytes += text.length;
    }
    expect(await closed).toBe('it takes nothing of what is sent');
  });

  test('tells that bytes have left when they never will', async () => {
    const book = await openHostileBook();
    const { socket, closed } = open(book.url);
    let told = 0;
    const sent = () => {
      told += 1;
    };
    socket.sendBytes(new Uint8Array(5), sent);
    expect(told).toBe(1);
    socket.close();
    await closed;
    socket.sendBytes(new Uint8Array(5), sent);
    expect(told).toBe(2);
  });

  test.each([
    ['closes at once', (socket: { end(): void }) => socket.end()],
    ['answers as a web page', (socket: { end(text: string): void }) => socket.end('HTTP/1.1 200 OK\r\n\r\nhello')],
    ['answers that there is none', (socket: { end(text: string): void }) => socket.end('HTTP/1.1 404 No\r\n\r\n')],
    [
      'sends the link elsewhere',
      (socket: { end(text: string): void }) => socket.end('HTTP/1.1 302 No\r\nLocation: http://127.0.0.1:9/\r\n\r\n'),
    ],
    ['answers garbage', (socket: { end(text: string): void }) => socket.end('\u0000\u0001\u0002\r\n\r\n')],
    [
      'answers with headers that do not end',
      (socket: { write(text: string): void; end(): void }) => {
        socket.write(`HTTP/1.1 101 Yes\r\nx: ${'y'.repeat(100_000)}`);
      },
    ],
    [
      'accepts without the right proof',
      (socket: { write(text: string): void }) =>
        void socket.write(
          'HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n',
        ),
    ],
  ])('ends where a server %s', async (_name, answer) => {
    const url = await openRawServer((socket) => {
      void once(socket, 'data').then(() => answer(socket));
    });
    expect(await open(url).closed).not.toBe('');
  });

  test('ends where nobody listens', async () => {
    expect(await open('http://127.0.0.1:9').closed).toMatch(/ECONNREFUSED/);
  });
});
