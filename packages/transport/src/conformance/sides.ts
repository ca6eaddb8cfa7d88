import { expect } from 'vitest';
import { collect, echo, failureOf, never, toBytes, toText } from '../loopback.fixture.ts';
import { openPair } from './bench.ts';
import type { Run, TransportSuite } from './suite.ts';

export function describeSides({ open }: TransportSuite, run: Run): void {
  run('after one side has ended the other may go on', async () => {
    const { near, far } = await openPair(await open());
    await near.end();
    expect(await collect(far)).toEqual([]);
    expect((await failureOf(near.send(toBytes('late')))).code).toBe('STREAM_CLOSED');
    await far.send(toBytes('still here'));
    await far.end();
    expect((await collect(near)).map(toText)).toEqual(['still here']);
    await Promise.all([near.closed, far.closed]);
  });

  run('an end may be asked for twice', async () => {
    const { near, far } = await openPair(await open());
    await Promise.all([near.end(), near.end(), far.end()]);
    await near.end();
    await Promise.all([collect(near), collect(far), near.closed, far.closed]);
    await near.end();
  });

  run('what was sent before both sides ended reaches a reader who starts late', async () => {
    const { near, far } = await openPair(await open());
    const sending = (async () => {
      for (let index = 0; index < 20; index += 1) await near.send(new Uint8Array(100_000));
      await near.end();
    })();
    await far.end();
    await collect(near);
    expect(await collect(far)).toHaveLength(20);
    await Promise.all([sending, near.closed, far.closed]);
  });

  run('200 streams run beside each other', async () => {
    const bench = await open();
    const serving = (async () => {
      for (let index = 0; index < 200; index += 1) void echo(await bench.accepted.next());
    })();
    const echoes = Array.from({ length: 200 }, async (_, index) => {
      const stream = await bench.near.connect({ key: bench.far.key, hints: bench.hints }, { signal: never() });
      await stream.send(toBytes(`stream ${index}`));
      await stream.end();
      return (await collect(stream)).map(toText);
    });
    expect(await Promise.all(echoes)).toEqual(Array.from({ length: 200 }, (_, index) => [`stream ${index}`]));
    await serving;
  });
}
