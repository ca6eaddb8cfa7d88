import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type WebSocket as ServedSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import { openBrowserLinkSocket } from './browser-link-socket.ts';

// Node's own WebSocket has the interface of a browser's. The same runs in a browser in e2e/browser-reaches-agent.e2e.ts.

const portSchema = z.object({ port: z.number() });
const closing: (() => void)[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const close of closing.splice(0)) close();
});

async function serve() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  closing.push(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  await once(server, 'listening');
  const { port } = portSchema.parse(server.address());
  const accepted = new Promise<ServedSocket>((resolve) => server.once('connection', resolve));
  return { url: `ws://127.0.0.1:${port}/`, accepted };
}

/** A socket that is dialled, with what its listener hears. */
function dial(url: string) {
  const heard: unknown[] = [];
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<string>();
  let onHeard = () => {};
  const hear = (what: unknown) => {
    heard.push(what);
    onHeard();
  };
  const socket = openBrowserLinkSocket(url, {
    onOpen: opened.resolve,
    onText: hear,
    onBytes: hear,
    onClosed: (reason) => {
      hear('closed');
      closed.resolve(reason);
    },
  });
  closing.push(() => socket.close());
  const hears = (count: number) =>
    new Promise<readonly unknown[]>((resolve) => {
      onHeard = () => heard.length >= count && resolve(heard);
      onHeard();
    });
  return { socket, heard, hears, opened: opened.promise, closed: closed.promise };
}

describe('the link socket of a browser', () => {
  it('carries text and bytes, and tells them apart', async () => {
    const { url, accepted } = await serve();
    const { socket, hears, opened } = dial(url);
    const server = await accepted;
    await opened;
    const received: unknown[] = [];
    const both = new Promise<void>((resolve) => {
      server.on('message', (data, isBinary) => {
        received.push([isBinary, data]);
        if (received.length === 2) resolve();
      });
    });
    socket.sendText('hello');
    await new Promise<void>((sent) => socket.sendBytes(Uint8Array.of(1, 2, 3), sent));
    await both;
    expect(received).toEqual([
      [false, Buffer.from('hello')],
      [true, Buffer.of(1, 2, 3)],
    ]);
    server.send('welcome');
    server.send(Buffer.of(4, 5));
    expect(await hears(2)).toEqual(['welcome', Uint8Array.of(4, 5)]);
  });

  it('holds a writer up while much waits in the browser, until the book has taken it', async () => {
    const { url, accepted } = await serve();
    const { socket, opened } = dial(url);
    const server = await accepted;
    await opened;
    server.pause();
    const frame = new Uint8Array(128 * 1024);
    let handed = 0;
    let heldUp: Promise<void> | undefined;
    // More than what the kernel buffers of both ends can take: the writer is stopped long before the end.
    while (heldUp === undefined && handed < 10_000) {
      let isSent = false;
      const sent = new Promise<void>((resolve) => {
        socket.sendBytes(frame, () => {
          isSent = true;
          resolve();
        });
      });
      handed += 1;
      if (!isSent) heldUp = sent;
    }
    expect(handed).toBeLessThan(10_000);
    let received = 0;
    const all = new Promise<void>((resolve) => {
      server.on('message', () => {
        received += 1;
        if (received === handed) resolve();
      });
    });
    server.resume();
    await Promise.all([heldUp, all]);
    expect(received).toBe(handed);
  });

  it('lets a writer go when the book is gone, and tells so once', async () => {
    const { url, accepted } = await serve();
    const { socket, heard, opened, closed } = dial(url);
    const server = await accepted;
    await opened;
    server.pause();
    const frame = new Uint8Array(1024 * 1024);
    const sent = Promise.all(
      Array.from({ length: 16 }, () => new Promise<void>((resolve) => socket.sendBytes(frame, resolve))),
    );
    server.terminate();
    await sent;
    await closed;
    socket.close();
    await new Promise<void>((resolve) => socket.sendBytes(frame, resolve));
    socket.sendText('too late');
    expect(heard).toEqual(['closed']);
  });

  it('drops a book that takes nothing of what is sent', async () => {
    const { url, accepted } = await serve();
    const { socket, opened, closed } = dial(url);
    const server = await accepted;
    await opened;
    server.pause();
    const frame = new Uint8Array(1024 * 1024);
    await Promise.all(
      Array.from({ length: 100 }, () => new Promise<void>((resolve) => socket.sendBytes(frame, resolve))),
    );
    expect(await closed).toBe('it takes nothing of what is sent');
  });

  it('tells why the book closed it', async () => {
    const { url, accepted } = await serve();
    const { closed } = dial(url);
    (await accepted).close(1008, 'BOOK_RATE_LIMITED');
    expect(await closed).toBe('BOOK_RATE_LIMITED');
  });

  it.each([
    ['nobody serves it', 'ws://127.0.0.1:1/', 'closed with 1006'],
    ['the browser will not have it', 'ws://[', 'Invalid URL'],
  ])('tells that it does not open when %s', async (_why, url, reason) => {
    const { heard, closed } = dial(url);
    expect(heard).toEqual([]);
    expect(await closed).toContain(reason);
    expect(heard).toEqual(['closed']);
  });

  it('gives a book up that takes it in and does not answer', async () => {
    const server = createServer();
    closing.push(() => server.close());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const accepted = once(server, 'connection');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { heard, closed } = dial(`ws://127.0.0.1:${portSchema.parse(server.address()).port}/`);
    await accepted;
    vi.advanceTimersByTime(9_999);
    expect(heard).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(await closed).toBe('nothing came for 10 s');
  });

  it('is dropped when nothing comes after it was doubted, and kept when something comes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { url, accepted } = await serve();
    const { socket, heard, hears, opened, closed } = dial(url);
    const server = await accepted;
    await opened;
    vi.advanceTimersByTime(3_600_000);
    socket.check?.(2_000);
    vi.advanceTimersByTime(1_999);
    server.send('still here');
    await hears(1);
    vi.advanceTimersByTime(3_600_000);
    expect(heard).toEqual(['still here']);
    socket.check?.(2_000);
    socket.check?.(10_000);
    vi.advanceTimersByTime(2_000);
    expect(await closed).toBe('nothing came for 2 s');
  });
});
