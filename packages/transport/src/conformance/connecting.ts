import { expect } from 'vitest';
import { failureOf, keyPairOf, never } from '../loopback.fixture.ts';
import { openPair } from './bench.ts';
import type { Run, TransportSuite } from './suite.ts';

export function describeConnecting({ open, openNowhere }: TransportSuite, run: Run): void {
  run('another key at the hint is named, and hears of no stream', async () => {
    const { near, far, hints, accepted } = await open();
    const peer = { key: keyPairOf(77).key, hints };
    const failure = await failureOf(near.connect(peer, { signal: never() }));
    expect(failure.code).toBe('PEER_WRONG_KEY');
    expect(failure.details).toEqual({ expected: peer.key, actual: far.key });
    expect(accepted.count).toBe(0);
  });

  run('nobody at the hint: unreachable', async () => {
    const { near, far } = await open({ handshakeTimeoutMs: 300 });
    const peer = { key: far.key, hints: await openNowhere() };
    expect((await failureOf(near.connect(peer, { signal: never() }))).code).toBe('PEER_UNREACHABLE');
  });

  run('no hint, or only hints of other transports: unreachable', async () => {
    const { near, far } = await open();
    for (const hints of [[], ['quic://127.0.0.1:1', 'pigeon://loft']]) {
      const failure = await failureOf(near.connect({ key: far.key, hints }, { signal: never() }));
      expect(failure.code).toBe('PEER_UNREACHABLE');
    }
  });

  run('hints that are garbage, unknown or lead to nobody do not hide the one that is right', async () => {
    const bench = await open();
    const garbage = ['', 'udp://', 'tcp://:0', 'book+http://', '\u0000', `udp://${'9'.repeat(1000)}`];
    const hints = [...garbage.slice(0, 6 - bench.hints.length), ...(await openNowhere()), ...bench.hints];
    const { near } = await openPair({ ...bench, hints });
    expect(near.remoteKey).toBe(bench.far.key);
  });

  run('an abort before or while connecting ends it at once, with its own code', async () => {
    const { near, far } = await open();
    const peer = { key: far.key, hints: await openNowhere() };
    const connect = (signal: AbortSignal) => failureOf(near.connect(peer, { signal }));
    expect((await connect(AbortSignal.abort())).code).toBe('CANCELLED');
    const stopping = new AbortController();
    const stopped = connect(stopping.signal);
    stopping.abort();
    expect((await stopped).code).toBe('CANCELLED');
    expect((await connect(AbortSignal.timeout(1))).code).toBe('TIMED_OUT');
  });
}
