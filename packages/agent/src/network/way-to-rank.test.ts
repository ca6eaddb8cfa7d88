import { randomBytes } from 'node:crypto';
import { silentLogger, systemClock } from '@latent/kit';
import { createKeyPair, createTcpTransport, type EncryptedStream, type Transport } from '@latent/transport';
import { afterEach, describe, expect, test } from 'vitest';
import { toAddressNumber } from './packet.ts';
import { packetOf } from './packets.fixture.ts';
import { WayToRank } from './way-to-rank.ts';

const addresses = ['100.84.0.1', '100.84.0.2'] as const;
const there = { source: addresses[1], destination: addresses[0] };

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A transport that listens on loopback, and a way to open streams to it. */
async function openEnd(onStream: (stream: EncryptedStream) => void) {
  const transport: Transport = createTcpTransport({ keyPair: createKeyPair(randomBytes(32)) });
  cleanups.push(() => transport.close());
  const { hints } = await transport.listen(onStream, { address: '127.0.0.1', port: 0 });
  const peer = { key: transport.key, hints };
  return { transport, peer };
}

interface Arrivals {
  /** Resolves when so many packets have come. */
  atLeast(count: number): Promise<readonly Buffer[]>;
}

function openWay(ownRank: 0 | 1, openStream: () => Promise<EncryptedStream>): { way: WayToRank } & Arrivals {
  const rank = ownRank === 0 ? 1 : 0;
  const ending = new AbortController();
  const came: Buffer[] = [];
  let arrived = Promise.withResolvers<void>();
  const way = new WayToRank({
    ownRank,
    rank,
    own: toAddressNumber(addresses[ownRank]),
    other: toAddressNumber(addresses[rank]),
    clock: systemClock,
    logger: silentLogger,
    signal: ending.signal,
    openStream,
    deliver: (packet) => {
      came.push(Buffer.from(packet));
      arrived.resolve();
      arrived = Promise.withResolvers();
      return true;
    },
  });
  cleanups.push(() => {
    ending.abort();
    way.close();
  });
  return {
    way,
    atLeast: async (count) => {
      while (came.length < count) await arrived.promise;
      return came;
    },
  };
}

const connect = (from: Transport, to: { peer: Parameters<Transport['connect']>[0] }) =>
  from.connect(to.peer, { signal: AbortSignal.timeout(10_000) });

/** Rank 0 as the product has it, and rank 1 as a stream to do with what one likes. */
async function openHalf() {
  const accepted = Promise.withResolvers<EncryptedStream>();
  const far = await openEnd((stream) => accepted.resolve(stream));
  const near = await openEnd((stream) => stream.destroy());
  const half = openWay(0, () => connect(near.transport, far));
  return { ...half, stream: await accepted.promise };
}

describe('a way to another rank', () => {
  test('hands on what comes, several packets to a message too, and the largest there are', async () => {
    const { stream, atLeast, way } = await openHalf();
    const packets = [{ mark: 1 }, { mark: 2, totalBytes: 65_535 }, { mark: 3, totalBytes: 21 }].map((wish) =>
      packetOf({ ...there, ...wish }),
    );
    await stream.send(Buffer.concat(packets));
    expect(await atLeast(3)).toEqual(packets);
    expect(way).toMatchObject({ receivedBytes: 60 + 65_535 + 21, droppedPackets: 0 });
  });

  test('loses what another rank says in somebody else’s name, to anybody else, or in no form that it should', async () => {
    const { stream, atLeast, way } = await openHalf();
    const lie = packetOf(there);
    lie.writeUInt16BE(61, 2);
    const six = packetOf(there);
    six[0] = 0x65;
    const refused = [
      packetOf({ ...there, source: '100.84.0.3' }),
      packetOf({ ...there, source: addresses[0] }),
      packetOf({ ...there, destination: '100.84.0.3' }),
      packetOf({ ...there, destination: '100.84.255.255' }),
      packetOf({ ...there, destination: '255.255.255.255' }),
      packetOf({ ...there, destination: '224.0.0.251' }),
      packetOf({ ...there, destination: '127.0.0.1' }),
      Buffer.concat([packetOf({ ...there, source: '100.84.0.3' }), packetOf({ ...there, mark: 1 })]),
      lie,
      six,
      Buffer.alloc(1),
      randomBytes(256 * 1024).fill(0, 0, 1),
    ];
    for (const message of refused) await stream.send(message);
    const last = packetOf({ ...there, mark: 9 });
    await stream.send(last);
    expect(await atLeast(1)).toEqual([last]);
    expect(way.droppedPackets).toBe(refused.length);
  });

  test('sends whole packets in their order', async () => {
    const { stream, way } = await openHalf();
    await viaStream(way);
    const packets = Array.from({ length: 200 }, (_, mark) =>
      packetOf({ source: addresses[0], destination: addresses[1], protocol: 6, totalBytes: 60 + mark * 40, mark }),
    );
    for (const packet of packets) way.send(packet);
    const expected = Buffer.concat(packets);
    let bytes = Buffer.alloc(0);
    for await (const message of stream.messages()) {
      bytes = Buffer.concat([bytes, message]);
      if (bytes.byteLength >= expected.byteLength) break;
    }
    expect(bytes.equals(expected)).toBe(true);
    expect(way.droppedPackets).toBe(0);
  });

  test('sends by datagram what may be lost and fits one, and holds datagrams to the same rules', async () => {
    const { stream, way, atLeast } = await openHalf();
    await viaStream(way);
    const datagram = new Promise<Uint8Array>((resolve) => stream.onDatagram(resolve));
    const wish = { source: addresses[0], destination: addresses[1] };
    const [small, large] = [packetOf({ ...wish, totalBytes: 1_100 }), packetOf({ ...wish, totalBytes: 1_101 })];
    way.send(small);
    way.send(large);
    expect(Buffer.from(await datagram)).toEqual(small);
    for await (const message of stream.messages()) {
      expect(Buffer.from(message)).toEqual(large);
      stream.sendDatagram(packetOf({ ...there, source: '100.84.0.3' }));
      stream.sendDatagram(packetOf({ ...there, destination: '100.84.255.255' }));
      stream.sendDatagram(packetOf({ ...there, mark: 4 }));
      expect(await atLeast(1)).toEqual([packetOf({ ...there, mark: 4 })]);
      break;
    }
    expect(way).toMatchObject({ sentBytes: 2_201, droppedPackets: 2 });
  });

  test('loses what there is no room for when the other rank reads nothing', async () => {
    const { way } = await openHalf();
    await viaStream(way);
    const packet = packetOf({ source: addresses[0], destination: addresses[1], totalBytes: 65_000 });
    // 260 MB at once, and nobody has a turn in between.
    for (let left = 4_000; left > 0; left -= 1) way.send(packet);
    expect(way.droppedPackets).toBeGreaterThan(3_900);
  });

  test('loses what is sent while there is no stream, and opens another one when one breaks', async () => {
    const streams: EncryptedStream[] = [];
    let next = Promise.withResolvers<EncryptedStream>();
    const far = await openEnd((stream) => {
      streams.push(stream);
      next.resolve(stream);
      next = Promise.withResolvers();
    });
    const near = await openEnd((stream) => stream.destroy());
    let refusals = 2;
    const first = next.promise;
    const { way } = openWay(0, async () => {
      refusals -= 1;
      if (refusals >= 0) throw new Error('not yet');
      return await connect(near.transport, far);
    });
    way.send(packetOf({ source: addresses[0], destination: addresses[1] }));
    expect(way).toMatchObject({ stream: undefined, droppedPackets: 1 });
    const second = first.then((stream) => {
      const another = next.promise;
      stream.destroy();
      return another;
    });
    await second;
    expect(streams).toHaveLength(2);
  });

  test('keeps one stream where both ranks open one at the same time', async () => {
    const all: EncryptedStream[] = [];
    const bothOpened = Promise.withResolvers<void>();
    let opened = 0;
    const ends = await Promise.all([0, 1].map((rank) => openEnd((stream) => ways[rank]?.way.accept(stream))));
    const open = (from: number) => async () => {
      const [own, other] = [ends[from], ends[1 - from]];
      if (own === undefined || other === undefined) throw new Error('no such end');
      const stream = await connect(own.transport, other);
      all.push(stream);
      opened += 1;
      if (opened === 2) bothOpened.resolve();
      await bothOpened.promise;
      return stream;
    };
    const ways = [openWay(0, open(0)), openWay(1, open(1))];
    await bothOpened.promise;
    const [lowers, highers] = all[0]?.remoteKey === ends[1]?.transport.key ? all : all.toReversed();
    await highers?.closed;
    await viaStream(ways[0]?.way);
    await viaStream(ways[1]?.way);
    ways[0]?.way.send(packetOf({ source: addresses[0], destination: addresses[1], protocol: 6, mark: 5 }));
    expect((await ways[1]?.atLeast(1))?.[0]?.at(-1)).toBe(5);
    expect(ways[0]?.way.stream).toBe(lowers);
    expect(all).toHaveLength(2);
  });
});

/** Waits until the way has its stream. */
async function viaStream(way: WayToRank | undefined): Promise<void> {
  while (way?.stream === undefined) await new Promise(setImmediate);
}
