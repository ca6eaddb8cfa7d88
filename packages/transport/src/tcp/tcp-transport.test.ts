import { describe, expect, test } from 'vitest';
import { collect, failureOf, toBytes, toText } from '../loopback.fixture.ts';
import { MAX_MESSAGE_BYTES } from '../transport.ts';
import { idleTimeoutPassed, openPair, openVanishingPair, tcpProxy } from './loopback.fixture.ts';

/** What every transport has to do is in `conformance.test.ts`. */
describe('messages', () => {
  test('what was sent before both sides ended reaches a reader who starts late', async () => {
    const { near, far } = await openPair({ idleTimeoutMs: 60 });
    const sending = (async () => {
      for (let index = 0; index < 20; index += 1) await near.send(new Uint8Array(100_000));
      await near.end();
    })();
    await far.end();
    await collect(near);
    // Heartbeats of the lagging side must not be answered with a reset.
    await idleTimeoutPassed(60);
    expect(await collect(far)).toHaveLength(20);
    await Promise.all([sending, near.closed, far.closed]);
  });
});

describe('back-pressure', () => {
  test('a reader that lags holds the sender back, and is not taken for dead', async () => {
    const { near, far } = await openPair({ idleTimeoutMs: 60 });
    const total = 200;
    let sent = 0;
    const sending = (async () => {
      for (; sent < total; sent += 1) await near.send(new Uint8Array(MAX_MESSAGE_BYTES));
      await near.end();
    })();
    for (let waits = 0; waits < 4; waits += 1) await idleTimeoutPassed(60);
    expect(sent).toBeLessThan(total / 2);
    expect(await collect(far)).toHaveLength(total);
    await sending;
  });
});

describe('broken streams', () => {
  test('a peer that vanishes without closing is noticed by its silence', async () => {
    const { near, far, vanish } = await openVanishingPair(90);
    await near.send(toBytes('hello'));
    vanish();
    const failure = await failureOf(collect(near));
    expect(failure.code).toBe('STREAM_CLOSED');
    expect(failure.details).toEqual({ idleTimeoutMs: 90 });
    await Promise.all([near.closed, far.closed]);
  });

  test('an idle stream whose peer lives outlasts the time limit', async () => {
    const { near, far } = await openPair({ idleTimeoutMs: 60 });
    await idleTimeoutPassed(60);
    await idleTimeoutPassed(60);
    await near.send(toBytes('still here'));
    await near.end();
    expect((await collect(far)).map(toText)).toEqual(['still here']);
  });

  test('a connection cut by a third party is no end', async () => {
    let passedBytes = 0;
    const { near, far } = await openPair({}, (port) =>
      tcpProxy(port, (chunk, outer) => {
        passedBytes += chunk.byteLength;
        // Once a whole message has gone by, and only then, the proxy closes the connection politely.
        if (passedBytes > 1000) outer.end(chunk);
        return passedBytes > 1000 ? undefined : chunk;
      }),
    );
    await near.send(new Uint8Array(1000));
    expect((await failureOf(collect(far))).code).toBe('STREAM_CLOSED');
  });
});
