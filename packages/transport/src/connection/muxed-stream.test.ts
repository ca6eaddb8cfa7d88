import { LatentError, peerKeySchema } from '@latent/protocol';
import { describe, expect, test } from 'vitest';
import { collect, failureOf } from '../loopback.fixture.ts';
import { muxFrame } from '../peer/raw-peer.fixture.ts';
import { MAX_MESSAGE_BYTES } from '../transport.ts';
import { createMux, FIRST_WINDOW_BYTES, type Mux, type MuxStream } from './mux.ts';
import { MuxedStream } from './muxed-stream.ts';
import { UnreadLimit } from './unread-limit.ts';

const remoteKey = peerKeySchema.parse(`0x${'11'.repeat(32)}`);

/** Two multiplexers, between which bytes move when a test says so. */
class Joined {
  readonly near: Mux;
  readonly far: Mux;
  readonly farStreams: MuxedStream[] = [];
  /** What the far side has unread of all. */
  readonly unread = new UnreadLimit(3 * FIRST_WINDOW_BYTES);
  readonly #toNear: Uint8Array[] = [];
  readonly #toFar: Uint8Array[] = [];

  constructor() {
    this.near = this.#open(true, this.#toFar, () => undefined);
    this.far = this.#open(false, this.#toNear, (stream) => this.farStreams.push(wrap(stream, this.unread)));
  }

  #open(isInitiator: boolean, out: Uint8Array[], onStream: (stream: MuxStream) => void): Mux {
    return createMux({
      isInitiator,
      maxInboundStreams: isInitiator ? 0 : 100,
      send: (chunks) => void out.push(...chunks.map((chunk) => Uint8Array.from(chunk))),
      onStream,
    });
  }

  /** A stream of the near side, its raw form, and its far end. */
  async openPair(): Promise<{ readonly near: MuxedStream; readonly raw: MuxStream; readonly far: MuxedStream }> {
    const raw = await this.near.open();
    const near = wrap(raw);
    await this.settle();
    return { near, raw, far: this.farStreams.at(-1) ?? expect.unreachable('no stream') };
  }

  /** Moves what was sent, as one piece, but no answers to it. @returns how many bytes the far side was sent */
  move(): number {
    const [toFar, toNear] = [Buffer.concat(this.#toFar.splice(0)), Buffer.concat(this.#toNear.splice(0))];
    if (toFar.byteLength > 0) this.far.receive(toFar);
    if (toNear.byteLength > 0) this.near.receive(toNear);
    return toFar.byteLength;
  }

  /** Moves everything, and the answers, until nothing moves any more. @returns how many bytes the far side was sent */
  async settle(): Promise<number> {
    let bytes = 0;
    for (let idleRounds = 0; idleRounds < 3; idleRounds += 1) {
      if (this.#toFar.length + this.#toNear.length > 0) idleRounds = 0;
      bytes += this.move();
      await new Promise(setImmediate);
    }
    return bytes;
  }
}

function wrap(stream: MuxStream, unread = new UnreadLimit()): MuxedStream {
  return new MuxedStream(stream, {
    remoteKey,
    route: () => undefined,
    failure: () => undefined,
    takeTurn: (send) => send(),
    sendDatagram: () => false,
    unread,
  });
}

/** Sends so many messages, one after another, and counts those that were taken. */
function sendAll(stream: MuxedStream, count: number, bytes: number) {
  const state = { sent: 0 };
  void (async () => {
    for (; state.sent < count; state.sent += 1) await stream.send(new Uint8Array(bytes));
  })().catch(() => undefined);
  return state;
}

describe('back-pressure', () => {
  test('a reader that reads nothing is sent one window, and the sender waits, time and again', async () => {
    const joined = new Joined();
    const { near, far } = await joined.openPair();
    const sending = sendAll(near, 1_000, FIRST_WINDOW_BYTES / 4 - 4);
    await joined.settle();
    expect(far.unreadBytes).toBeGreaterThanOrEqual(FIRST_WINDOW_BYTES);
    expect(far.unreadBytes).toBeLessThan(FIRST_WINDOW_BYTES + 64 * 1024);
    const messages = far.messages()[Symbol.asyncIterator]();
    for (let round = 1; round <= 12; round += 1) {
      // A sender that is told of room once, and then never waits again, would be done with all by now.
      expect(sending.sent).toBeLessThan(5 * round + 6);
      for (let count = 0; count < 5; count += 1) {
        const next = messages.next();
        await joined.settle();
        await next;
      }
      expect(far.unreadBytes).toBeLessThanOrEqual(2 * FIRST_WINDOW_BYTES);
    }
    near.destroy();
  });

  test('a reader that reads nothing is sent one window, however small the pieces', async () => {
    const joined = new Joined();
    // A window grows by the round trip, once that is known.
    joined.far.measure();
    await joined.settle();
    const { near, raw, far } = await joined.openPair();
    for (let count = 0; count < 20; count += 1) {
      await near.send(new Uint8Array());
      await joined.settle();
    }
    for (let sent = 0; sent < 40 * FIRST_WINDOW_BYTES && raw.writeBufferLength === 0; sent += 50_000) {
      void near.send(new Uint8Array(50_000)).catch(() => undefined);
      await joined.settle();
    }
    expect(far.unreadBytes).toBeLessThanOrEqual(FIRST_WINDOW_BYTES);
    near.destroy();
  });

  test('a reader that lags is never granted more than a window beyond what it has read', async () => {
    const joined = new Joined();
    const { near, far } = await joined.openPair();
    sendAll(near, 400, 20_000);
    await joined.settle();
    let most = 0;
    let received = 0;
    for await (const _message of far.messages()) {
      await joined.settle();
      most = Math.max(most, far.unreadBytes);
      received += 1;
      if (received === 400) break;
    }
    expect(most).toBeLessThanOrEqual(2 * FIRST_WINDOW_BYTES);
  });

  test('streams that nobody reads are held to one limit together: the one that goes beyond it is dropped', async () => {
    const joined = new Joined();
    const pairs = [];
    for (let count = 0; count < 4; count += 1) pairs.push(await joined.openPair());
    for (const { near } of pairs) {
      sendAll(near, 100, 50_000);
      await joined.settle();
    }
    const [first, , , last] = pairs;
    expect(joined.unread.bytes).toBeLessThanOrEqual(3 * FIRST_WINDOW_BYTES);
    expect((await failureOf(collect(last!.far))).message).toContain('Too much lies unread');
    expect(pairs.map(({ far }) => far.unreadBytes > 0)).toEqual([true, true, true, false]);
    const next = first!.far.messages().next();
    expect((await next).value).toHaveLength(50_000);
    for (const { far } of pairs) far.destroy();
    expect(joined.unread.bytes).toBe(0);
  });

  test('a message longer than what may lie unread arrives without being read in between', async () => {
    const joined = new Joined();
    const { near, far } = await joined.openPair();
    const reading = far.messages()[Symbol.asyncIterator]();
    for (let count = 0; count < 5; count += 1) {
      const sending = near.send(new Uint8Array(MAX_MESSAGE_BYTES).fill(count));
      const next = reading.next();
      await joined.settle();
      await sending;
      expect((await next).value?.[1_000]).toBe(count);
    }
    near.destroy();
  });

  test('a peer that sends beyond the window breaks the connection', async () => {
    const joined = new Joined();
    await joined.openPair();
    const message = Buffer.concat([Uint8Array.of(0, 0, 0xea, 0x60), new Uint8Array(60_000)]);
    expect(() => {
      for (let sent = 0; sent <= FIRST_WINDOW_BYTES; sent += message.byteLength)
        joined.far.receive(muxFrame({ type: 0, streamId: 1, payload: message }));
    }).toThrow('window exceeded');
  });

  test('a send that waits for the window fails with the stream', async () => {
    const joined = new Joined();
    const { near } = await joined.openPair();
    for (let count = 0; count < 4; count += 1) await near.send(new Uint8Array(FIRST_WINDOW_BYTES / 4 - 4));
    const waiting = failureOf(near.send(new Uint8Array(10)));
    const behind = failureOf(near.send(new Uint8Array(10)));
    const end = failureOf(near.end());
    near.destroy();
    expect((await Promise.all([waiting, behind, end])).map(({ code }) => code)).toEqual(Array(3).fill('STREAM_CLOSED'));
  });
});

describe('an end', () => {
  test('that arrived is one only with all that came before it, though the connection breaks while it lies unread', async () => {
    const joined = new Joined();
    const { near, far } = await joined.openPair();
    for (let count = 0; count < 200; count += 1) await near.send(new Uint8Array(1_000));
    await near.end();
    await joined.settle();
    joined.far.abort(new LatentError('STREAM_CLOSED', 'cut'));
    expect(await collect(far)).toHaveLength(200);
    expect((await failureOf(far.send(new Uint8Array(1)))).code).toBe('STREAM_CLOSED');
  });

  test('that never arrived is none', async () => {
    const joined = new Joined();
    const { near, far } = await joined.openPair();
    await near.send(new Uint8Array(1_000));
    await joined.settle();
    await near.end();
    joined.far.abort(new LatentError('STREAM_CLOSED', 'cut'));
    const messages = far.messages()[Symbol.asyncIterator]();
    expect((await messages.next()).value).toHaveLength(1_000);
    expect((await failureOf(messages.next())).message).toBe('cut');
  });

  test('of the peer while our own end waits for the window leaves neither side hanging', async () => {
    const joined = new Joined();
    const { near, far } = await joined.openPair();
    const sending = sendAll(near, 10, FIRST_WINDOW_BYTES / 5);
    await far.end();
    await joined.settle();
    expect(await collect(near)).toEqual([]);
    const ending = failureOf(near.end());
    joined.near.abort(new LatentError('STREAM_CLOSED', 'cut'));
    expect((await ending).message).toBe('cut');
    expect(sending.sent).toBeLessThan(10);
    await near.closed;
  });

  test.each([
    ['amid a message', Uint8Array.of(0, 0, 0, 9, 1, 2)],
    ['amid the length of one', Uint8Array.of(0, 0)],
  ])('%s breaks the stream, behind the messages that are whole', async (_name, rest) => {
    const joined = new Joined();
    const { near, raw, far } = await joined.openPair();
    await near.send(Uint8Array.of(5));
    raw.send(rest);
    await raw.close();
    await joined.settle();
    const messages = far.messages()[Symbol.asyncIterator]();
    expect((await messages.next()).value).toEqual(Uint8Array.of(5));
    expect((await failureOf(messages.next())).message).toBe('The peer ended amid a message.');
    expect((await failureOf(far.send(new Uint8Array(1)))).code).toBe('STREAM_CLOSED');
  });

  test('with more behind it breaks the stream', async () => {
    const joined = new Joined();
    const { raw, far } = await joined.openPair();
    await raw.sendCloseWrite();
    await joined.settle();
    raw.send(Uint8Array.of(0, 0, 0, 0));
    await joined.settle();
    expect((await failureOf(far.send(new Uint8Array(1)))).message).toBe('The peer sent more after its end.');
  });
});

test('a message that is announced too long breaks only its own stream', async () => {
  const joined = new Joined();
  const [bad, good] = [await joined.openPair(), await joined.openPair()];
  bad.raw.send(Uint8Array.of(0xff, 0xff, 0xff, 0xff));
  await good.near.send(Uint8Array.of(7));
  await good.near.end();
  await joined.settle();
  expect((await failureOf(collect(bad.far))).code).toBe('MESSAGE_TOO_LARGE');
  expect(await collect(good.far)).toEqual([Uint8Array.of(7)]);
});

test('a stream that was dropped here gives out nothing that lies unread', async () => {
  const joined = new Joined();
  const { near, far } = await joined.openPair();
  await near.send(Uint8Array.of(7));
  await near.end();
  await joined.settle();
  far.destroy();
  expect((await failureOf(collect(far))).message).toBe('Our side dropped the stream.');
});
