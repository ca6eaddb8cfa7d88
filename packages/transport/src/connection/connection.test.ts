import { LatentError } from '@latent/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { collect } from '../loopback.fixture.ts';
import { muxFrame } from '../peer/raw-peer.fixture.ts';
import { MAX_MESSAGE_BYTES } from '../transport.ts';
import { presentPath } from './attach-path.ts';
import { Between, ID, keys, times } from './between.fixture.ts';
import { Connection } from './connection.ts';
import type { MuxedStream } from './muxed-stream.ts';
import { MAX_UNACKNOWLEDGED_BYTES } from './outgoing.ts';
import { DATA_TAG, encodeAttached } from './path-message.ts';
import { QueuedPath } from './queued-path.fixture.ts';
import { PIECE_BYTES } from './stream-writer.ts';

/** What happens; numbers pick one of those that are there. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('deliver' as const), pick: fc.nat(), count: fc.nat(12) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('send' as const), pick: fc.nat(), bytes: fc.nat(150_000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('path' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const), pick: fc.nat() }) },
);

function pickOf<Item>(items: readonly Item[], pick: number): Item | undefined {
  return items[pick % Math.max(1, items.length)];
}

const describeMessage = (message: Uint8Array) => `${message.byteLength} of ${message[0]}`;

test('whatever paths do, and in whatever order, every byte arrives once and in its place, both ways', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80 }), async (steps) => {
      const between = new Between();
      const near = [await between.near.openStream(), await between.near.openStream()];
      between.addPath();
      const sent = new Map<MuxedStream, string[]>();
      const sends: Promise<void>[] = [];
      for (const [index, one] of steps.entries()) {
        const ends = between.paths.flat().filter(({ isOver }) => !isOver);
        if (one.do === 'path') between.addPath();
        else if (one.do === 'cut') pickOf(ends, one.pick)?.cut();
        else if (one.do === 'deliver') {
          const end = pickOf(between.paths.flat(), one.pick);
          for (let count = 0; count < one.count && end?.deliver() === true; count += 1);
        } else {
          const stream = pickOf([...near, ...between.farStreams], one.pick) ?? expect.unreachable('no stream');
          const message = new Uint8Array(one.bytes + 1).fill(index + 1);
          sent.set(stream, [...(sent.get(stream) ?? []), describeMessage(message)]);
          const sending = stream.send(message);
          sending.catch(() => undefined);
          sends.push(sending);
        }
        await Promise.resolve();
      }
      between.addPath();
      const reading = near.map((stream) => collect(stream));
      await between.settle();
      expect(between.farStreams).toHaveLength(2);
      const all = [...near, ...between.farStreams];
      const ends = all.map((stream) => stream.end());
      reading.push(...between.farStreams.map((stream) => collect(stream)));
      let isAllThere = false;
      const arrived = Promise.all([...reading, ...sends, ...ends]).then((results) => {
        isAllThere = true;
        return results;
      });
      arrived.catch(() => undefined);
      await between.settle();
      expect([between.near.failure, between.far?.failure]).toEqual([undefined, undefined]);
      expect(isAllThere).toBe(true);
      const received = (await arrived).slice(0, 4).map((messages) => (messages ?? []).map(describeMessage));
      const [nearFirst, nearSecond, farFirst, farSecond] = all.map((stream) => sent.get(stream) ?? []);
      expect(received).toEqual([farFirst, farSecond, nearFirst, nearSecond]);
      between.close();
    }),
    { numRuns: 150 },
  );
});

const drop = () => undefined;

describe('a connection', () => {
  test('leaves alone what still comes on a path once a younger one has begun', async () => {
    const between = new Between();
    const near = await between.near.openStream();
    const [, oldFar] = between.addPath();
    await between.settle();
    const messages = [new Uint8Array(120_000).fill(1), new Uint8Array(120_000).fill(2)];
    const sends = messages.map((message) => near.send(message));
    await Promise.resolve();
    expect(oldFar.inbox.length).toBeGreaterThan(1);
    const [youngNear, youngFar] = between.addPath();
    youngFar.deliver();
    const received = between.far?.received;
    while (oldFar.deliver());
    expect(between.far?.received).toBe(received);
    youngNear.deliver();
    await between.settle();
    await Promise.all([...sends, near.end()]);
    await between.settle();
    const [far] = between.farStreams;
    expect(far === undefined ? [] : await collect(far)).toEqual(messages);
    between.close();
  });

  test('is not moved by the late answer to an older path', async () => {
    const between = new Between();
    const near = await between.near.openStream();
    between.addPath();
    await between.settle();
    const [oldNear, oldFar] = between.addPath();
    const [youngNear, youngFar] = between.addPath();
    oldFar.deliver();
    youngFar.deliver();
    youngNear.deliver();
    const sending = near.send(new Uint8Array(1_000).fill(1));
    await Promise.resolve();
    // Until the peer has acknowledged all: it says so a moment later.
    while (between.near.heldBytes > 0) {
      for (const end of [youngFar, youngNear]) while (end.deliver());
      await new Promise(setImmediate);
    }
    oldNear.deliver();
    await between.settle();
    expect([between.near.failure, between.near.generation]).toEqual([undefined, 3]);
    await sending;
    between.close();
  });

  test('ends behind all that was handed over, and says why', async () => {
    const between = new Between();
    const near = await between.near.openStream();
    between.addPath();
    await between.settle();
    // More than the path takes at once.
    await near.send(new Uint8Array(150_000).fill(3));
    await near.end();
    between.near.end({ code: 'CANCELLED', message: 'We move house.' });
    await between.settle();
    const [far] = between.farStreams;
    const received = far === undefined ? [] : await collect(far);
    expect(received).toEqual([new Uint8Array(150_000).fill(3)]);
    expect(between.far?.failure?.message).toBe('The peer ended the connection (CANCELLED): We move house.');
    expect(between.far?.failure?.details).toEqual({ code: 'CANCELLED' });
    await Promise.all([between.near.closed, between.far?.closed]);
  });

  test('that ends takes no path any more', async () => {
    const between = new Between();
    between.addPath();
    await between.settle();
    const [near] = between.addPath();
    between.near.fail(new LatentError('STREAM_CLOSED', 'over'));
    await between.settle();
    expect(near.isOver).toBe(true);
    expect(await between.presented?.attached).toBe(false);
    expect(between.near.route).toBeUndefined();
    const failure = await between.near.openStream().catch((thrown: unknown) => thrown);
    expect(failure).toBe(between.near.failure);
    between.close();
  });

  test('keeps no more than its limit for a peer that grants every window and acknowledges nothing', async () => {
    const near = new Connection({
      id: ID,
      times,
      onStream: drop,
      onPathLost: drop,
      onEnded: drop,
      remoteKey: keys[1],
      isInitiator: true,
      maxInboundStreams: 0,
    });
    const [nearPath, farPath] = QueuedPath.pair(keys);
    void presentPath(near, nearPath, { generation: 1, isNew: true, timeoutMs: 600_000 });
    farPath.start({ onMessage: drop, onUnordered: drop, onDrain: drop, onEnded: drop });
    farPath.sendMessage(encodeAttached({ received: 0, from: 0 }));
    nearPath.deliver();
    const streams = await Promise.all(Array.from({ length: 8 }, () => near.openStream()));
    let most = 0;
    for (const stream of streams) {
      farPath.send(DATA_TAG, [muxFrame({ type: 1, streamId: stream.id, length: 2 ** 30 })]);
      for (let count = 0; count < 40; count += 1)
        void stream.send(new Uint8Array(MAX_MESSAGE_BYTES)).catch(() => undefined);
    }
    for (let round = 0; round < 2_000; round += 1) {
      while (farPath.deliver() || nearPath.deliver());
      await Promise.resolve();
      most = Math.max(most, near.heldBytes);
    }
    // It is full, and stays so.
    expect(most).toBeGreaterThanOrEqual(MAX_UNACKNOWLEDGED_BYTES);
    expect(most).toBeLessThan(MAX_UNACKNOWLEDGED_BYTES + 2 * streams.length * PIECE_BYTES);
    near.fail(new LatentError('STREAM_CLOSED', 'over'));
  });

  test('ends when a peer asks for ever more answers and takes none in', async () => {
    const between = new Between();
    between.addPath();
    await between.settle();
    const { far } = between;
    const [nearPath, farPath] = between.paths[0] ?? expect.unreachable('no path');
    const pings = Buffer.concat(
      Array.from({ length: 5_000 }, (_, index) => muxFrame({ type: 2, flags: 1, length: index })),
    );
    let most = 0;
    for (let count = 0; count < 1_000 && far?.failure === undefined; count += 1) {
      nearPath.send(DATA_TAG, [pings]);
      farPath.deliver();
      most = Math.max(most, far?.heldBytes ?? 0);
    }
    expect(far?.failure?.code).toBe('STREAM_CLOSED');
    expect(most).toBeLessThan(32 * 1024 * 1024);
    between.close();
  });
});
