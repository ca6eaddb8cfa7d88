import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type EncryptedStream, MAX_MESSAGE_BYTES } from '../transport.ts';
import {
  collect,
  failureOf,
  idleTimeoutPassed,
  keyPairOf,
  listen,
  never,
  openPair,
  openTransport,
  openVanishingPair,
  tcpProxy,
  toBytes,
  toText,
} from './loopback.fixture.ts';

describe('messages', () => {
  test('each side learns the key of the other', async () => {
    const { near, far } = await openPair();
    expect(near.remoteKey).toBe(keyPairOf(2).key);
    expect(far.remoteKey).toBe(keyPairOf(1).key);
  });

  test('any sequence of messages arrives unchanged and in order, both ways at once', async () => {
    const server = openTransport(2);
    const { listener, accepted } = await listen(server);
    const client = openTransport(1);
    const messages = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(messages, messages, async (there, back) => {
        const near = await client.connect({ key: server.key, hints: listener.hints }, { signal: never() });
        const far = await accepted.next();
        const sendAll = async (stream: EncryptedStream, all: readonly Uint8Array[]) => {
          for (const message of all) await stream.send(message);
          await stream.end();
        };
        const [, , atFar, atNear] = await Promise.all([
          sendAll(near, there),
          sendAll(far, back),
          collect(far),
          collect(near),
        ]);
        expect(atFar.map((message) => [...message])).toEqual(there.map((message) => [...message]));
        expect(atNear.map((message) => [...message])).toEqual(back.map((message) => [...message]));
        await Promise.all([near.closed, far.closed]);
      }),
      { numRuns: 50 },
    );
  });

  test('sends that are not awaited keep their order, and an end after them comes last', async () => {
    const { near, far } = await openPair();
    const sends = Array.from({ length: 200 }, (_, index) => near.send(toBytes(`${index}`)));
    await Promise.all([...sends, near.end(), far.end()]);
    expect((await collect(far)).map(toText)).toEqual(Array.from({ length: 200 }, (_, index) => `${index}`));
  });

  test('a message of the largest size passes; one byte more is refused and the stream stays whole', async () => {
    const { near, far } = await openPair();
    const received = collect(far);
    await near.send(new Uint8Array(MAX_MESSAGE_BYTES).fill(7));
    expect((await failureOf(near.send(new Uint8Array(MAX_MESSAGE_BYTES + 1)))).code).toBe('MESSAGE_TOO_LARGE');
    await near.end();
    expect((await received).map((message) => message.byteLength)).toEqual([MAX_MESSAGE_BYTES]);
  });

  test('after one side has ended the other may go on', async () => {
    const { near, far } = await openPair();
    await near.end();
    expect(await collect(far)).toEqual([]);
    expect((await failureOf(near.send(toBytes('late')))).code).toBe('STREAM_CLOSED');
    await far.send(toBytes('still here'));
    await far.end();
    expect((await collect(near)).map(toText)).toEqual(['still here']);
    await Promise.all([near.closed, far.closed]);
  });

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

  test('100 streams run beside each other', async () => {
    const server = openTransport(2);
    const accepted = (stream: EncryptedStream) =>
      void (async () => {
        for await (const message of stream.messages()) await stream.send(message);
        await stream.end();
      })();
    const listener = await server.listen(accepted, { address: '127.0.0.1', port: 0 });
    const client = openTransport(1);
    const echoes = Array.from({ length: 100 }, async (_, index) => {
      const stream = await client.connect({ key: server.key, hints: listener.hints }, { signal: never() });
      await stream.send(toBytes(`stream ${index}`));
      await stream.end();
      return (await collect(stream)).map(toText);
    });
    expect(await Promise.all(echoes)).toEqual(Array.from({ length: 100 }, (_, index) => [`stream ${index}`]));
  });
});

describe('back-pressure', () => {
  test('a sender gets only a bounded number of messages ahead of the reader', async () => {
    const { near, far } = await openPair();
    const total = 200;
    let sent = 0;
    const sending = (async () => {
      for (; sent < total; sent += 1) await near.send(new Uint8Array(MAX_MESSAGE_BYTES));
      await near.end();
    })();
    let received = 0;
    let furthestAhead = 0;
    for await (const _message of far.messages()) {
      received += 1;
      furthestAhead = Math.max(furthestAhead, sent - received);
    }
    await sending;
    expect(received).toBe(total);
    // What two kernels buffer on a loopback connection is a few megabytes; without back-pressure it would be all 50 MiB.
    expect(furthestAhead).toBeLessThan(total / 2);
  });

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

  test('a destroyed stream breaks on the other side, after the messages that were before', async () => {
    const { near, far } = await openPair();
    await near.send(toBytes('last words'));
    const iterator = far.messages()[Symbol.asyncIterator]();
    expect(toText((await iterator.next()).value ?? new Uint8Array())).toBe('last words');
    near.destroy();
    near.destroy();
    expect((await failureOf(iterator.next())).code).toBe('STREAM_CLOSED');
    expect((await failureOf(far.send(toBytes('?')))).code).toBe('STREAM_CLOSED');
    expect((await failureOf(near.send(toBytes('?')))).code).toBe('STREAM_CLOSED');
    expect((await failureOf(near.end())).code).toBe('STREAM_CLOSED');
    await Promise.all([near.closed, far.closed]);
  });

  test('a send that waits for room fails when the peer drops the stream', async () => {
    const { near, far } = await openPair();
    const sending = failureOf(
      (async () => {
        while (true) await near.send(new Uint8Array(MAX_MESSAGE_BYTES));
      })(),
    );
    await idleTimeoutPassed(60);
    far.destroy();
    expect((await sending).code).toBe('STREAM_CLOSED');
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

  test('leaving the loop over the messages destroys the stream', async () => {
    const { near, far } = await openPair();
    await near.send(toBytes('one'));
    for await (const _message of far.messages()) break;
    await Promise.all([near.closed, far.closed]);
  });

  test('the messages of a stream can be iterated only once', async () => {
    const { near, far } = await openPair();
    await near.end();
    await collect(far);
    expect((await failureOf(collect(far))).code).toBe('INTERNAL');
  });

  test('closing the transport drops dialled streams, closing the listener accepted ones', async () => {
    const server = openTransport(2);
    const { listener, accepted } = await listen(server);
    const client = openTransport(1);
    const peer = { key: server.key, hints: listener.hints };
    const first = await client.connect(peer, { signal: never() });
    const far = await accepted.next();
    await listener.close();
    await Promise.all([first.closed, far.closed]);
    expect((await failureOf(client.connect(peer, { signal: never() }))).code).toBe('PEER_UNREACHABLE');
    await client.close();
    expect((await failureOf(client.connect(peer, { signal: never() }))).code).toBe('CANCELLED');
  });
});
