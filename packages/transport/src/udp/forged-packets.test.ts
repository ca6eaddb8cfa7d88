import { describe, expect, test } from 'vitest';
import { seededRandom } from '../hostile/dice.ts';
import { type EchoOutcome, exchange, exchangeWith, openEchoPeer, openPeer } from '../peer/echoes.fixture.ts';
import { decodePeerPacket } from './packet.ts';
import { hintOf, openUdpProxy, streamPacket, type UdpProxy, untilTestEnds } from './raw-socket.fixture.ts';

const FAR = 2;

/** Somebody between two peers, who sees all packets of their streams and can add any. */
interface Watcher {
  readonly line: UdpProxy;
  readonly random: () => number;
  /** From 0 up to a number. */
  readonly below: (end: number) => number;
  /** The newest packet of the stream that goes there, as it was seen. */
  readonly seen: (toFar: boolean) => Buffer | undefined;
  /** The numbers of the stream at both ends are known: something was seen each way. */
  readonly isReady: () => boolean;
}

const isOfStream = (bytes: Uint8Array) => bytes[0] === 0xff && bytes.byteLength >= 20;

async function meetOverLine(seed: number) {
  const far = await openEchoPeer(FAR);
  const line = await openUdpProxy({ host: '127.0.0.1', port: far.port });
  const near = openPeer(1);
  const random = seededRandom(seed);
  const seen = (toFar: boolean) => {
    const packet = line.passed.findLast((one) => one.toFar === toFar && isOfStream(one.bytes));
    return packet === undefined ? undefined : Buffer.from(packet.bytes);
  };
  const watcher: Watcher = {
    line,
    random,
    below: (end) => Math.floor(random() * end),
    seen,
    isReady: () => seen(true) !== undefined && seen(false) !== undefined,
  };
  return { far, near, hints: [`udp://${hintOf(line.address)}`], watcher };
}

/** Each way to send something forged. Called often while two peers talk. */
const forgeries: Readonly<Record<string, (watcher: Watcher, toFar: boolean, last: Buffer) => void>> = {
  'packets of all kinds with numbers near the right ones': ({ line, below }, toFar, last) => {
    const streamId = last.readUInt32LE(4);
    const number = (last.readUInt32LE(12) + below(200)) >>> 0;
    const acknowledged = (last.readUInt32LE(16) + below(200) - 100) >>> 0;
    const payload = Buffer.alloc(below(1_200), below(256));
    const kind = below(64);
    line.inject(streamPacket({ streamId, number, acknowledged, payload, kind, window: below(2 ** 31) }), toFar);
  },
  'packets with any numbers': ({ line, below }, toFar, last) => {
    const packet = Buffer.alloc(20 + below(1_200));
    for (let at = 0; at < packet.byteLength; at += 1) packet[at] = below(256);
    packet.set([0xff, 1, below(64), below(256)]);
    packet.writeUInt32LE(last.readUInt32LE(4), 4);
    line.inject(packet, toFar);
  },
  'lists of gaps without end': ({ line, below }, toFar, last) => {
    const gaps = Buffer.alloc(8 * (1 + below(180)));
    for (let at = 0; at < gaps.byteLength; at += 4) gaps.writeUInt32LE((last.readUInt32LE(16) + below(300)) >>> 0, at);
    const [streamId, number] = [last.readUInt32LE(4), last.readUInt32LE(12)];
    line.inject(streamPacket({ streamId, number, acknowledged: last.readUInt32LE(16), payload: gaps, kind: 4 }), toFar);
  },
  'a window of nothing': ({ line }, toFar, last) => {
    last.writeUInt32LE(0, 8);
    line.inject(last, toFar);
  },
  ends: ({ line }, toFar, last) => {
    const [streamId, number] = [last.readUInt32LE(4), last.readUInt32LE(12) + 1];
    line.inject(streamPacket({ streamId, number, acknowledged: last.readUInt32LE(16), kind: 2 }), toFar);
  },
  farewells: ({ line }, toFar, last) => {
    const [streamId, number] = [last.readUInt32LE(4), last.readUInt32LE(12) + 1];
    line.inject(streamPacket({ streamId, number, acknowledged: last.readUInt32LE(16), kind: 16 }), toFar);
  },
  'what was sent before, again and out of order': ({ line, below }, toFar) => {
    for (let count = 0; count < 5; count += 1) {
      const one = line.passed[below(line.passed.length)];
      if (one !== undefined) line.inject(one.bytes, one.toFar || toFar);
    }
  },
  'what was sent before, altered': ({ line, below }, toFar) => {
    const one = line.passed[below(line.passed.length)];
    if (one === undefined) return;
    const altered = Uint8Array.from(one.bytes);
    const at = below(altered.byteLength);
    altered[at] = (altered[at] ?? 0) ^ (1 << below(8));
    line.inject(altered, toFar);
  },
  'the beginnings of what was sent': ({ line, below }, toFar, last) => {
    line.inject(last.subarray(0, below(last.byteLength)), toFar);
  },
  'requests for acknowledgements': ({ line }, toFar, last) => {
    const [streamId, number] = [last.readUInt32LE(4), last.readUInt32LE(12)];
    for (let count = 0; count < 20; count += 1) line.inject(streamPacket({ streamId, number, kind: 32 }), toFar);
  },
  'single messages, which nobody sealed': ({ line, below }, toFar, last) => {
    const payload = Buffer.alloc(below(1_200), 7);
    const [streamId, number] = [last.readUInt32LE(4), last.readUInt32LE(12)];
    line.inject(streamPacket({ streamId, number, acknowledged: last.readUInt32LE(16), payload, kind: 8 }), toFar);
  },
};

describe('somebody who sees the packets of a stream and sends others', () => {
  test.each([1, 2])(
    'puts no wrong byte into it: the connection goes on, by another path at worst (%i)',
    async (seed) => {
      const run = async (name: string): Promise<readonly [string, EchoOutcome]> => {
        const { far, near, hints, watcher } = await meetOverLine(seed);
        const stream = await near.connect({ key: far.transport.key, hints }, { signal: untilTestEnds() });
        const forge = forgeries[name];
        let forged = 0;
        const outcome = await exchange(stream, {
          byte: FAR,
          seed,
          onMessage: (number) => {
            // It lets them go on towards the end.
            if (number > 30 || !watcher.isReady()) return;
            for (const toFar of [true, false]) {
              const last = watcher.seen(toFar);
              if (last !== undefined) forge?.(watcher, toFar, last);
              forged += 1;
            }
          },
        });
        expect(forged, name).toBeGreaterThan(10);
        expect(far.streams, name).toHaveLength(1);
        return [name, outcome];
      };
      const outcomes = await Promise.all(Object.keys(forgeries).map(run));
      expect(Object.fromEntries(outcomes)).toEqual(Object.fromEntries(outcomes.map(([name]) => [name, 'all'])));
    },
  );

  test.each([3, 4])('and loses, doubles, delays and alters theirs, does no more (%i)', async (seed) => {
    const { far, near, hints, watcher } = await meetOverLine(seed);
    const { line, random, below } = watcher;
    const held: Buffer[] = [];
    line.alter = (bytes) => {
      const draw = random();
      if (draw < 0.05) return [];
      if (draw < 0.1) return [bytes, bytes];
      if (draw < 0.15) {
        held.push(bytes);
        return [];
      }
      if (draw < 0.17 && decodePeerPacket(bytes) === undefined) {
        const at = below(bytes.byteLength);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
      }
      return [bytes, ...held.splice(0)];
    };
    expect(await exchangeWith(near, far, hints, { byte: FAR, seed, maxBytes: 3_000 })).toBe('all');
    expect(far.streams).toHaveLength(1);
  });

  test('can have no datagram arrive that was not sent, nor any twice', async () => {
    const { far, near, hints, watcher } = await meetOverLine(5);
    const { line } = watcher;
    const stream = await near.connect({ key: far.transport.key, hints }, { signal: untilTestEnds() });
    await stream.send(Uint8Array.of(1));
    const arrived: number[] = [];
    const { promise: last, resolve } = Promise.withResolvers<void>();
    const messages = stream.messages()[Symbol.asyncIterator]();
    await messages.next();
    far.streams[0]?.onDatagram((bytes) => {
      arrived.push(bytes[0] ?? -1);
      if (bytes[0] === 255) resolve();
    });
    line.alter = (bytes, toFar) => {
      if (!toFar || bytes[2] !== 8) return [bytes];
      const altered = Buffer.from(bytes);
      altered[altered.byteLength - 1] = (altered.at(-1) ?? 0) ^ 1;
      const unsealed = streamPacket({ streamId: bytes.readUInt32LE(4), number: 0, payload: Buffer.alloc(60), kind: 8 });
      return [altered, Buffer.from(unsealed), bytes, Buffer.from(bytes), bytes.subarray(0, 30)];
    };
    for (let number = 0; number < 200; number += 1) stream.sendDatagram(Uint8Array.of(number));
    for (const { toFar, bytes } of [...line.passed]) if (toFar) line.inject(bytes, true);
    stream.sendDatagram(Uint8Array.of(255));
    // A datagram may get lost: the last is sent until it has arrived.
    const again = setInterval(() => stream.sendDatagram(Uint8Array.of(255)), 20);
    await last;
    clearInterval(again);
    const known = arrived.filter((number) => number < 255);
    expect(new Set(known).size).toBe(known.length);
    expect(known.every((number) => number < 200)).toBe(true);
    expect(known.length).toBeGreaterThan(0);
  });
});
