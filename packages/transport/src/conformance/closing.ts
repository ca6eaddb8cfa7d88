import { expect } from 'vitest';
import { collect, echo, failureOf, never } from '../loopback.fixture.ts';
import { openPair, roundTrips } from './bench.ts';
import type { Run, TransportSuite } from './suite.ts';

export function describeClosing({ open }: TransportSuite, run: Run): void {
  run('what both sides ended is all there, though a transport is closed at once', async () => {
    const bench = await open();
    const { near, far } = await openPair(bench);
    await far.end();
    for (let index = 0; index < 50; index += 1) await near.send(new Uint8Array(3000));
    await near.end();
    await collect(near);
    const received = collect(far);
    await near.closed;
    await bench.near.close();
    expect(await received).toHaveLength(50);
  });

  run('closing the transport drops dialled streams, closing the listener accepted ones', async () => {
    const bench = await open();
    const first = await openPair(bench);
    await bench.listener.close();
    await Promise.all([first.near.closed, first.far.closed]);
    expect((await failureOf(collect(first.near))).code).toBe('STREAM_CLOSED');
    const again = await open();
    const second = await openPair(again);
    await again.near.close();
    await Promise.all([second.near.closed, second.far.closed]);
    expect((await failureOf(collect(second.far))).code).toBe('STREAM_CLOSED');
  });

  run('a transport is closed twice, and connects no more', async () => {
    const { near, far, hints } = await open();
    await Promise.all([near.close(), near.close()]);
    await near.close();
    expect((await failureOf(near.connect({ key: far.key, hints }, { signal: never() }))).code).toBe('CANCELLED');
    const listening = near.listen(() => undefined, { address: '127.0.0.1', port: 0 });
    expect((await failureOf(listening)).code).toBe('CANCELLED');
  });

  run('after its listener was closed a transport can listen again', async () => {
    const { near, far, listener } = await open();
    await listener.close();
    const again = await far.listen((stream) => void echo(stream), { address: '127.0.0.1', port: 0 });
    await again.settled;
    const stream = await near.connect({ key: far.key, hints: again.hints }, { signal: never() });
    await roundTrips(stream, stream.messages()[Symbol.asyncIterator]());
  });
}
