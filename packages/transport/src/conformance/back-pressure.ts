import { expect } from 'vitest';
import { collect, failureOf } from '../loopback.fixture.ts';
import { MAX_MESSAGE_BYTES } from '../transport.ts';
import { BULK, openEcho, openPair, sendOn } from './bench.ts';
import type { Run, TransportSuite } from './suite.ts';

export function describeBackPressure({ open, bufferedBytes }: TransportSuite, run: Run): void {
  const mostAhead = bufferedBytes / MAX_MESSAGE_BYTES;
  const total = 2 * mostAhead;

  run('a reader that reads nothing stops the sender, and loses nothing', async () => {
    const bench = await open();
    const { near, far } = await openPair(bench);
    const sending = sendOn(near, total);
    const clock = await openEcho(bench);
    let before: number;
    do {
      before = sending.sent;
      await clock.trips();
    } while (sending.sent !== before);
    // Without back-pressure it would be all.
    expect(before).toBeLessThan(mostAhead);
    const received = collect(far);
    await sending.done;
    await near.end();
    expect(await received).toHaveLength(total);
  });

  run('a sender is never far ahead of a reader that lags', async () => {
    const bench = await open();
    const { near, far } = await openPair(bench);
    const sending = sendOn(near, total);
    const clock = await openEcho(bench);
    let received = 0;
    let furthestAhead = 0;
    for await (const _message of far.messages()) {
      received += 1;
      furthestAhead = Math.max(furthestAhead, sending.sent - received);
      await clock.trips(3);
      if (received === total) break;
    }
    expect(received).toBe(total);
    expect(furthestAhead).toBeLessThan(mostAhead);
  });

  run('a reader that reads nothing holds up no other stream', async () => {
    const bench = await open();
    const blocked = await openPair(bench);
    const sending = sendOn(blocked.near);
    const clock = await openEcho(bench);
    const { near, far } = await openPair(bench);
    const received = collect(far);
    for (let index = 0; index < 40; index += 1) await near.send(BULK);
    await near.end();
    expect(await received).toHaveLength(40);
    await clock.trips();
    blocked.near.destroy();
    expect((await failureOf(sending.done)).code).toBe('STREAM_CLOSED');
  });

  run('a busy stream leaves the others their turn', async () => {
    const bench = await open();
    const busy = await openPair(bench);
    const sending = sendOn(busy.near);
    const received = collect(busy.far);
    const clock = await openEcho(bench);
    await clock.trips();
    sending.isStopped = true;
    await sending.done;
    await busy.near.end();
    expect(await received).toHaveLength(sending.sent);
  });

  run('a send that waits for room fails when the peer drops the stream', async () => {
    const bench = await open();
    const { near, far } = await openPair(bench);
    const sending = failureOf(sendOn(near).done);
    await (await openEcho(bench)).trips();
    far.destroy();
    expect((await sending).code).toBe('STREAM_CLOSED');
  });
}
