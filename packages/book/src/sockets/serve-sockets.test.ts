import { connect as connectSocket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type BookBench, createAgent, openBench } from '../book-bench.fixture.ts';
import { createPeer, dial, openLink, settled } from '../peers/peer-bench.fixture.ts';

/** Bytes on a fresh WebSocket of a link, after its handshake: masked with zeros. */
async function sendRaw(bench: BookBench, bytes: Buffer): Promise<void> {
  const { hostname, port } = new URL(bench.book.url);
  const socket = connectSocket(Number(port), hostname);
  const ended = new Promise((resolve) => socket.on('close', resolve).on('error', () => undefined));
  socket.write(
    'GET /v1/peers HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await new Promise((resolve) => socket.once('data', resolve));
  socket.write(bytes);
  socket.resume();
  await ended;
}

const MASK = Buffer.alloc(4);
const fragment = Buffer.concat([Buffer.from([0x01, 0x81]), MASK, Buffer.from('x')]);
const continued = Buffer.concat([Buffer.from([0x00, 0x81]), MASK, Buffer.from('x')]);

describe('WebSockets', () => {
  it('of all paths are counted together, per address and altogether', async () => {
    await using bench = await openBench({ connectionsPerAddress: 2, maxConnections: 3 });
    await bench.present(createAgent('a', bench.registry));
    await openLink(bench, createPeer('a'));
    await expect(bench.connect()).rejects.toThrow('429');
    await expect(dial(bench)).rejects.toThrow('429');
    await dial(bench, { localAddress: '127.0.0.2' });
    await expect(dial(bench, { localAddress: '127.0.0.3' })).rejects.toThrow('503');
  });

  it('that send pings without end are dropped', async () => {
    await using bench = await openBench();
    const link = await openLink(bench, createPeer('a'));
    await settled(link);
    for (let sent = 0; sent < 100; sent += 1) link.socket.ping();
    await link.closed;
    const agent = await bench.present(createAgent('a', bench.registry));
    for (let sent = 0; sent < 100; sent += 1) agent.socket.ping();
    await agent.closed;
  });

  it('that come in crumbs, or break the rules of WebSockets, are dropped', async () => {
    await using bench = await openBench();
    await sendRaw(bench, Buffer.concat([fragment, ...Array.from({ length: 100 }, () => continued)]));
    await sendRaw(bench, Buffer.from([0x81, 0x01, 0x78]));
    await sendRaw(bench, Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    await sendRaw(bench, Buffer.from([0xff, 0xff, 0xff, 0xff]));
    expect(await bench.get('/v1/status')).toMatchObject({ status: 200, body: { links: 0 } });
  });

  it('are all ended with the book', async () => {
    const bench = await openBench();
    const closed = [
      (await dial(bench)).closed,
      (await openLink(bench, createPeer('a'))).closed,
      (await bench.present(createAgent('a', bench.registry))).closed,
    ];
    await bench[Symbol.asyncDispose]();
    expect(await Promise.all(closed)).toEqual([1006, 1006, 1006]);
  });
});
