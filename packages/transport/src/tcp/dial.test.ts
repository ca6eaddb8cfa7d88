import { describe, expect, test } from 'vitest';
import { failureOf, keyPairOf, never } from '../loopback.fixture.ts';
import { listen, openTransport, tcpServer } from './loopback.fixture.ts';

describe('dialling', () => {
  test('another key at the address is named', async () => {
    const { listener, accepted } = await listen(openTransport(2));
    const failure = await failureOf(
      openTransport(1).connect({ key: keyPairOf(3).key, hints: listener.hints }, { signal: never() }),
    );
    expect(failure.code).toBe('PEER_WRONG_KEY');
    expect(failure.details).toEqual({ expected: keyPairOf(3).key, actual: keyPairOf(2).key });
    const dropped = await accepted.next();
    await dropped.closed;
  });

  test('hints that lead nowhere, to others, or to noise do not hide the one that is right', async () => {
    const { listener: wrong } = await listen(openTransport(3));
    const noise = await tcpServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const mute = await tcpServer(() => undefined);
    const server = openTransport(2);
    const { listener } = await listen(server);
    const hints = ['udp://x', ...wrong.hints, `tcp://127.0.0.1:${noise}`, `tcp://127.0.0.1:${mute}`, ...listener.hints];
    const stream = await openTransport(1).connect({ key: server.key, hints }, { signal: never() });
    expect(stream.remoteKey).toBe(server.key);
  });

  test.each([
    ['no hints', []],
    ['a hint of another transport', ['quic://127.0.0.1:1']],
    ['a port where nobody listens', ['tcp://127.0.0.1:1']],
  ])('%s: unreachable', async (_name, hints) => {
    const failure = await failureOf(openTransport(1).connect({ key: keyPairOf(2).key, hints }, { signal: never() }));
    expect(failure.code).toBe('PEER_UNREACHABLE');
  });

  test('one who answers the handshake with nothing is given up after the time limit', async () => {
    const port = await tcpServer(() => undefined);
    const transport = openTransport(1, { handshakeTimeoutMs: 50 });
    const failure = await failureOf(
      transport.connect({ key: keyPairOf(2).key, hints: [`tcp://127.0.0.1:${port}`] }, { signal: never() }),
    );
    expect(failure.code).toBe('PEER_UNREACHABLE');
  });

  test('an abort during the handshake ends it at once', async () => {
    const controller = new AbortController();
    const port = await tcpServer((socket) => socket.once('data', () => controller.abort()));
    const failure = await failureOf(
      openTransport(1).connect(
        { key: keyPairOf(2).key, hints: [`tcp://127.0.0.1:${port}`] },
        { signal: controller.signal },
      ),
    );
    expect(failure.code).toBe('CANCELLED');
  });

  test('an abort before the first hint is tried, or by a time limit, has its own code', async () => {
    const peer = { key: keyPairOf(2).key, hints: [`tcp://127.0.0.1:${await tcpServer(() => undefined)}`] };
    expect((await failureOf(openTransport(1).connect(peer, { signal: AbortSignal.abort() }))).code).toBe('CANCELLED');
    expect((await failureOf(openTransport(1).connect(peer, { signal: AbortSignal.timeout(30) }))).code).toBe(
      'TIMED_OUT',
    );
  });
});
