import { once } from 'node:events';
import type { LatentError } from '@latent/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { collect, failureOf, keyPairOf, never, toBytes, toText } from '../loopback.fixture.ts';
import { listen, openPair, openTransport, rawSocket, tcpProxy } from './loopback.fixture.ts';

describe('hostile peers', () => {
  test.each([
    ['text of another protocol', 'MESSAGE_TOO_LARGE', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['a frame of 16 MiB', 'MESSAGE_TOO_LARGE', Buffer.from([0xff, 0xff, 0xff, 0])],
    ['an empty frame', 'MESSAGE_INVALID', Buffer.from([0, 0, 0])],
    ['a short frame', 'PEER_UNREACHABLE', Buffer.concat([Buffer.from([3, 0, 0]), Buffer.alloc(3)])],
    ['a key of small order', 'PEER_UNREACHABLE', Buffer.concat([Buffer.from([32, 0, 0]), Buffer.alloc(32)])],
    ['a frame full of ones', 'PEER_UNREACHABLE', Buffer.concat([Buffer.from([64, 0, 0]), Buffer.alloc(64, 0xff)])],
  ])('%s is dropped, and the listener goes on', async (_name, code, garbage) => {
    const refused: LatentError[] = [];
    const server = openTransport(2, { onRefused: ({ error }) => refused.push(error) });
    const { listener, accepted, port } = await listen(server);
    const socket = await rawSocket(port);
    socket.write(garbage);
    socket.resume();
    await once(socket, 'close');
    expect(refused.map((error) => error.code)).toEqual([code]);
    await openTransport(1).connect({ key: server.key, hints: listener.hints }, { signal: never() });
    expect((await accepted.next()).remoteKey).toBe(keyPairOf(1).key);
    expect(accepted.count).toBe(1);
  });

  test('any bytes are survived', async () => {
    const server = openTransport(2, { handshakeTimeoutMs: 50 });
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
    await openTransport(1).connect({ key: server.key, hints: listener.hints }, { signal: never() });
    expect((await accepted.next()).remoteKey).toBe(keyPairOf(1).key);
  });

  test('one who sends a byte now and then is dropped at the time limit', async () => {
    const server = openTransport(2, { handshakeTimeoutMs: 100 });
    const { accepted, port } = await listen(server);
    const socket = await rawSocket(port);
    socket.resume();
    const frame = [32, 0, 0, ...new Uint8Array(32)];
    const drip = setInterval(() => socket.write(Buffer.from(frame.splice(0, 1))), 20);
    await once(socket, 'close');
    clearInterval(drip);
    expect(accepted.count).toBe(0);
  });

  test('a recorded conversation played again opens no stream', async () => {
    const recorded: Buffer[] = [];
    const server = openTransport(2, { handshakeTimeoutMs: 200 });
    const { accepted, port } = await listen(server);
    const proxyPort = await tcpProxy(port, (chunk) => {
      recorded.push(chunk);
      return chunk;
    });
    const peer = { key: server.key, hints: [`tcp://127.0.0.1:${proxyPort}`] };
    const near = await openTransport(1).connect(peer, { signal: never() });
    await near.send(toBytes('pay 5'));
    await near.end();
    expect((await collect(await accepted.next())).map(toText)).toEqual(['pay 5']);
    const replay = await rawSocket(port);
    replay.resume();
    replay.write(Buffer.concat(recorded));
    await once(replay, 'close');
    expect(accepted.count).toBe(1);
  });

  test('a flipped bit on the way breaks the stream', async () => {
    let corrupt = false;
    const { near, far } = await openPair({}, (port) =>
      tcpProxy(port, (chunk) => {
        if (corrupt) chunk[chunk.byteLength - 1] = (chunk.at(-1) ?? 0) ^ 1;
        return chunk;
      }),
    );
    corrupt = true;
    await near.send(toBytes('x'));
    expect((await failureOf(collect(far))).code).toBe('STREAM_CLOSED');
  });

  test('a known peer that announces more than a message is dropped with the code', async () => {
    const { near, far } = await openPair({}, (port) =>
      tcpProxy(port, (chunk) => {
        // The first frame of the application is the only one that is longer than the handshake's.
        if (chunk.byteLength > 300) chunk.set([0xff, 0xff, 0xff]);
        return chunk;
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
    const server = openTransport(2, {
      limits: { maxConnectionsPerAddress: 2 },
      onRefused: ({ error }) => refused.push(error),
    });
    const { listener, accepted } = await listen(server);
    const peer = { key: server.key, hints: listener.hints };
    const client = openTransport(1);
    const first = await client.connect(peer, { signal: never() });
    await client.connect(peer, { signal: never() });
    expect((await failureOf(client.connect(peer, { signal: never() }))).code).toBe('PEER_UNREACHABLE');
    expect(refused.map((error) => error.code)).toEqual(['NOT_ALLOWED']);
    first.destroy();
    await (await accepted.next()).closed;
    await client.connect(peer, { signal: never() });
  });

  test('an address that cannot be bound is a wrong setting', async () => {
    const { port } = await listen(openTransport(2));
    const failure = await failureOf(openTransport(3).listen(() => undefined, { address: '127.0.0.1', port }));
    expect(failure.code).toBe('CONFIG_INVALID');
  });

  test('a listener on all addresses names those that others can reach', async () => {
    const listener = await openTransport(2).listen(() => undefined, { address: '0.0.0.0', port: 0 });
    expect(listener.hints.length).toBeGreaterThan(0);
    expect(listener.hints.filter((hint) => hint.includes('0.0.0.0'))).toEqual([]);
  });
});
