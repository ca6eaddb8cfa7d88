import { describe, expect, test } from 'vitest';
import { Admission, defaultConnectionLimits } from '../admission.ts';
import { MAX_DATA_BYTES } from '../connection/path-message.ts';
import { seededRandom } from '../hostile/dice.ts';
import type { Path } from '../paths/path.ts';
import { answerKnocks } from './answer-knocks.ts';
import type { HoardLimits } from './hoard-limit.ts';
import { knock } from './knock.ts';
import {
  addressOf,
  afterTest,
  dealtWith,
  failureOf,
  hintOf,
  keyPairOf,
  openPort,
  openRawSocket,
  openUdpProxy,
  streamPacket,
  untilTestEnds,
} from './raw-socket.fixture.ts';
import { secureUdp } from './secure-udp.ts';

const KIB = 1024;
const STREAM_ID = 77;

/** A stream that waits for the first message of a handshake, and what becomes of it. */
async function openWaiting(hoardLimits: HoardLimits, streamId = STREAM_ID) {
  const port = openPort({ hoardLimits });
  const peer = await openRawSocket();
  const stream = port.createStream(streamId);
  port.connectStream(stream, 1, peer.address);
  const options = { keyPair: keyPairOf(2), isInitiator: false, remote: peer.address, signal: untilTestEnds() };
  const failed = failureOf(secureUdp(port, stream, options));
  return { port, peer, stream, failed };
}

describe('what a peer makes us keep', () => {
  test.each([
    ['long packets', 1_200, 100],
    ['empty packets', 0, 1_100],
  ])('is limited when it sends %s beyond a gap before any handshake', async (_name, payloadBytes, count) => {
    const { port, peer, failed } = await openWaiting({ maxStreamBytes: 100 * KIB, maxBytes: 400 * KIB });
    const payload = new Uint8Array(payloadBytes);
    for (let number = 1; number <= count; number += 1) {
      peer.send(streamPacket({ streamId: STREAM_ID, number: number * 2, payload }), addressOf(port));
      if (number % 50 === 0) await dealtWith(port);
    }
    const failure = await failed;
    expect(failure.code).toBe('MESSAGE_TOO_LARGE');
    const keptBytes = Number(/^\d+/.exec(failure.message)?.[0]);
    expect(keptBytes).toBeGreaterThan(100 * KIB);
    expect(keptBytes).toBeLessThan(400 * KIB);
  });

  test('is limited for all its streams together: the one that keeps most goes first', async () => {
    const port = openPort({ hoardLimits: { maxStreamBytes: 100 * KIB, maxBytes: 150 * KIB } });
    const peer = await openRawSocket();
    const ended: number[] = [];
    const streams = [60, 90, 70].map((kept, at) => {
      const streamId = STREAM_ID + at;
      const stream = port.createStream(streamId);
      port.connectStream(stream, 1, peer.address);
      const options = { keyPair: keyPairOf(2), isInitiator: false, remote: peer.address, signal: untilTestEnds() };
      const failed = failureOf(secureUdp(port, stream, options)).then(({ code }) => {
        ended.push(kept);
        return code;
      });
      return { kept, streamId, failed };
    });
    for (const { kept, streamId } of streams) {
      for (let number = 1; number <= kept; number += 1) {
        const payload = new Uint8Array(KIB - 128);
        peer.send(streamPacket({ streamId, number: 2 * number, payload }), addressOf(port));
      }
      await dealtWith(port);
    }
    expect(await streams[1]?.failed).toBe('MESSAGE_TOO_LARGE');
    // The others keep 130 KiB, which is let be: the next look has passed when one more is dropped by itself.
    const { failed, peer: other, port: otherPort } = await openWaiting({ maxStreamBytes: KIB, maxBytes: KIB });
    other.send(streamPacket({ streamId: STREAM_ID, number: 2, payload: new Uint8Array(1_200) }), addressOf(otherPort));
    await failed;
    expect(ended).toEqual([90]);
  });

  test('is nothing of a peer that sends much, and hears much, over a bad line', async () => {
    const hoardLimits = { maxStreamBytes: 4 * KIB * KIB, maxBytes: 64 * KIB * KIB };
    const [nearPort, farPort] = [openPort({ hoardLimits }), openPort({ hoardLimits })];
    const line = await openUdpProxy(addressOf(farPort));
    const random = seededRandom(1);
    let held: Buffer | undefined;
    line.alter = (bytes, toFar) => {
      const draw = random();
      if (draw < 0.01) return [];
      if (!toFar || draw > 0.03) return [bytes];
      // One packet changes places with the next.
      const before = held;
      held = bytes;
      return before === undefined ? [] : [before];
    };
    const accepted = Promise.withResolvers<Path>();
    answerKnocks(farPort, {
      keyPair: keyPairOf(2),
      handshakeTimeoutMs: 20_000,
      admission: new Admission(defaultConnectionLimits),
      signal: untilTestEnds(),
      onPath: (path, release) => {
        release();
        accepted.resolve(path);
      },
      onRefused: ({ error }) => accepted.reject(error),
    });
    const near = await knock(nearPort, hintOf(line.address), keyPairOf(2).key, {
      keyPair: keyPairOf(1),
      signal: untilTestEnds(),
    });
    const far = await accepted.promise;
    const totalBytes = Math.ceil((8 * KIB * KIB) / MAX_DATA_BYTES) * MAX_DATA_BYTES;
    const [there, back] = await Promise.all([sendAll(near, totalBytes), sendAll(far, totalBytes)]);
    // What one side sends, the other receives.
    expect([there, back]).toEqual([totalBytes, totalBytes]);
  });
});

/** Sends so much over a path while it receives as much. @returns bytes received */
async function sendAll(path: Path, totalBytes: number): Promise<number> {
  afterTest(async () => path.destroy());
  let receivedBytes = 0;
  const done = Promise.withResolvers<number>();
  let drained = Promise.withResolvers<void>();
  path.start({
    onMessage: (bytes) => {
      receivedBytes += bytes.byteLength;
      if (receivedBytes >= totalBytes) done.resolve(receivedBytes);
    },
    onUnordered: () => undefined,
    onDrain: () => drained.resolve(),
    onEnded: (cause) => done.reject(cause ?? new Error('the path ended')),
  });
  for (let sent = 0; sent < totalBytes; sent += MAX_DATA_BYTES) {
    if (path.sendMessage(new Uint8Array(MAX_DATA_BYTES))) continue;
    await drained.promise;
    drained = Promise.withResolvers();
  }
  return await done.promise;
}
