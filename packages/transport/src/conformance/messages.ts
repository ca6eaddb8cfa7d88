import fc from 'fast-check';
import { expect } from 'vitest';
import { collect, echo, failureOf, toBytes, toText } from '../loopback.fixture.ts';
import { type EncryptedStream, MAX_MESSAGE_BYTES } from '../transport.ts';
import { openPair, roundTrips } from './bench.ts';
import type { Run, TransportSuite } from './suite.ts';

export function describeMessages({ open, route }: TransportSuite, run: Run): void {
  run('each side learns the key of the other, and the way', async () => {
    const bench = await open();
    const { near, far } = await openPair(bench);
    expect([near.remoteKey, far.remoteKey]).toEqual([bench.far.key, bench.near.key]);
    void echo(far);
    const messages = near.messages()[Symbol.asyncIterator]();
    // A better way may be found a moment later.
    while (near.route?.kind !== route || far.route?.kind !== route) await roundTrips(near, messages, 1);
    expect(near.route.through).toMatch(/^(tcp|udp|book) ./);
  });

  run('any sequence of messages arrives unchanged and in order, both ways at once', async () => {
    const bench = await open();
    const message = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.nat(60_000).map((bytes) => new Uint8Array(bytes)),
    );
    const messages = fc.array(message, { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(messages, messages, async (there, back) => {
        const { near, far } = await openPair(bench);
        const sendAll = async (stream: EncryptedStream, all: readonly Uint8Array[]) => {
          for (const one of all) await stream.send(one);
          await stream.end();
        };
        const [, , atFar, atNear] = await Promise.all([
          sendAll(near, there),
          sendAll(far, back),
          collect(far),
          collect(near),
        ]);
        expect(atFar.map((one) => Buffer.from(one).toString('hex'))).toEqual(
          there.map((one) => Buffer.from(one).toString('hex')),
        );
        expect(atNear.map((one) => Buffer.from(one).toString('hex'))).toEqual(
          back.map((one) => Buffer.from(one).toString('hex')),
        );
        await Promise.all([near.closed, far.closed]);
      }),
      { numRuns: 25 },
    );
  });

  run('sends that are not awaited keep their order, and an end after them comes last', async () => {
    const { near, far } = await openPair(await open());
    const texts = Array.from({ length: 200 }, (_, index) => `${index}`);
    const sends = texts.map((text) => near.send(toBytes(text)));
    const [received] = await Promise.all([collect(far), ...sends, near.end(), far.end()]);
    expect(received.map(toText)).toEqual(texts);
  });

  run('a message of the largest size passes; one byte more is refused and the stream stays whole', async () => {
    const { near, far } = await openPair(await open());
    const received = collect(far);
    await near.send(new Uint8Array(MAX_MESSAGE_BYTES).fill(7));
    expect((await failureOf(near.send(new Uint8Array(MAX_MESSAGE_BYTES + 1)))).code).toBe('MESSAGE_TOO_LARGE');
    await near.send(new Uint8Array());
    await near.end();
    expect((await received).map((message) => message.byteLength)).toEqual([MAX_MESSAGE_BYTES, 0]);
  });

  run('a message that was sent may be written to: the peer has the bytes of before', async () => {
    const { near, far } = await openPair(await open());
    const received = collect(far);
    const message = new Uint8Array(MAX_MESSAGE_BYTES);
    for (let byte = 1; byte <= 20; byte += 1) await near.send(message.fill(byte));
    message.fill(0);
    await near.end();
    const expected = Array.from({ length: 20 }, (_, index) => [index + 1]);
    expect((await received).map((bytes) => [...new Set(bytes)])).toEqual(expected);
  });
}
