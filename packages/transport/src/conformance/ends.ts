import { expect } from 'vitest';
import { collect, failureOf, toBytes, toText } from '../loopback.fixture.ts';
import { openEcho, openPair } from './bench.ts';
import type { Run, TransportSuite } from './suite.ts';

export function describeEnds({ open }: TransportSuite, run: Run): void {
  run('a destroyed stream breaks on the other side, after the messages that were before', async () => {
    const { near, far } = await openPair(await open());
    await near.send(toBytes('last words'));
    const messages = far.messages()[Symbol.asyncIterator]();
    expect(toText((await messages.next()).value ?? new Uint8Array())).toBe('last words');
    near.destroy();
    near.destroy();
    expect((await failureOf(messages.next())).code).toBe('STREAM_CLOSED');
    expect((await failureOf(far.send(toBytes('?')))).code).toBe('STREAM_CLOSED');
    expect((await failureOf(near.send(toBytes('?')))).code).toBe('STREAM_CLOSED');
    expect((await failureOf(near.end())).code).toBe('STREAM_CLOSED');
    expect((await failureOf(collect(near))).code).toBe('STREAM_CLOSED');
    await Promise.all([near.closed, far.closed]);
  });

  run('leaving the loop over the messages destroys the stream, also behind the end', async () => {
    const bench = await open();
    const first = await openPair(bench);
    await first.near.send(toBytes('one'));
    for await (const _message of first.far.messages()) break;
    await Promise.all([first.near.closed, first.far.closed]);
    const second = await openPair(bench);
    await second.near.send(toBytes('one'));
    await second.near.send(toBytes('two'));
    await second.near.end();
    await (await openEcho(bench)).trips();
    for await (const _message of second.far.messages()) break;
    await Promise.all([second.near.closed, second.far.closed]);
  });

  run('the messages of a stream can be iterated only once', async () => {
    const { near, far } = await openPair(await open());
    await near.end();
    await collect(far);
    expect((await failureOf(collect(far))).code).toBe('INTERNAL');
  });

  run('a stream that is cut never looks like one that ended', async () => {
    const bench = await open();
    const { near, far } = await openPair(bench);
    const messages = far.messages()[Symbol.asyncIterator]();
    await near.send(toBytes('whole'));
    expect((await messages.next()).done).toBe(false);
    await bench.between?.cut();
    expect((await failureOf(messages.next())).code).toBe('STREAM_CLOSED');
    expect((await failureOf(collect(near))).code).toBe('STREAM_CLOSED');
    await Promise.all([near.closed, far.closed]);
  });

  run('an unread end is one only with all that came before it, even if the peer is gone', async () => {
    const bench = await open();
    const { near, far } = await openPair(bench);
    const total = 300;
    for (let index = 0; index < total; index += 1) await far.send(new Uint8Array(700));
    await far.end();
    const clock = await openEcho(bench);
    await clock.trips();
    await bench.far.close();
    await clock.closed;
    let received = 0;
    const failure = await (async () => {
      for await (const _message of near.messages()) received += 1;
    })().catch((thrown: unknown) => thrown);
    expect(failure === undefined ? received : total).toBe(total);
  });
}
