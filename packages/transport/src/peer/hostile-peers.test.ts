import { FIRST_BOOK_CHANNEL, type LatentError, type PeerKey, peerKeySchema } from '@latent/protocol';
import { describe, expect, test } from 'vitest';
import { defaultConnectionLimits } from '../admission.ts';
import { encodeAck, encodeAttach, encodeGoodbye, PING } from '../connection/path-message.ts';
import { hexOfBytes } from '../hex.ts';
import { randomBytes } from '../key-pair.ts';
import { createQueue, openHostileBook } from '../link/hostile-book.fixture.ts';
import { openNodeLinkSocket } from '../link/node-link-socket.ts';
import { openSmallBook } from '../link/small-book.fixture.ts';
import { type EncryptedStream, MAX_MESSAGE_BYTES, type Transport } from '../transport.ts';
import { COOKIE_BYTES, TOKEN_BYTES } from '../udp/packet.ts';
import { afterTest, failureOf, keyPairOf, openPort, openRawSocket, untilTestEnds } from '../udp/raw-socket.fixture.ts';
import type { UdpAddress } from '../udp/udp-address.ts';
import type { UdpPort } from '../udp/udp-port.ts';
import { acceptIntroductions } from './accept-introductions.ts';
import { AcceptedPeers } from './accepted-peers.ts';
import { createBookLinks } from './book-links.ts';
import { defaultTimes } from './default-times.ts';
import { openRelayPeer } from './echoes.fixture.ts';
import { createPeerTransport, type PeerTransportOptions } from './peer-transport.ts';
import { attachRawPeer, muxFrame, openRawPeer, type RawPeer } from './raw-peer.fixture.ts';
import { createUdpSide } from './udp-side.ts';

const SERVER = 2;

function open(byte: number, options: Partial<PeerTransportOptions> = {}): Transport {
  const transport = createPeerTransport({ keyPair: keyPairOf(byte), ...options });
  afterTest(() => transport.close());
  return transport;
}

interface Served {
  readonly transport: Transport;
  readonly at: UdpAddress;
  readonly hints: readonly string[];
  /** Streams that were handed out so far. */
  readonly streams: EncryptedStream[];
  readonly refusals: () => Promise<LatentError>;
}

/** Sends back what it is sent. */
async function serve(options: Partial<PeerTransportOptions> = {}): Promise<Served> {
  const refused = createQueue<LatentError>();
  const transport = open(SERVER, { onRefused: ({ error }) => refused.put(error), ...options });
  const streams: EncryptedStream[] = [];
  const echo = async (stream: EncryptedStream) => {
    for await (const message of stream.messages()) await stream.send(message);
    await stream.end();
  };
  const listener = await transport.listen(
    (stream) => {
      streams.push(stream);
      // Hostile streams end in all ways.
      echo(stream).catch(() => undefined);
    },
    { address: '127.0.0.1', port: 0 },
  );
  await listener.settled;
  return {
    transport,
    at: { host: '127.0.0.1', port: listener.port },
    hints: listener.hints,
    streams,
    refusals: refused.take,
  };
}

/** An honest peer at another address of its own: one message there and back. */
async function isServed({ transport, hints }: Served, host = '127.0.0.2'): Promise<boolean> {
  const honest = open(200);
  await honest.listen(() => undefined, { address: host, port: 0 });
  const stream = await honest.connect({ key: transport.key, hints }, { signal: untilTestEnds() });
  const said = randomBytes(10);
  await stream.send(said);
  for await (const message of stream.messages()) return Buffer.compare(message, said) === 0;
  return false;
}

const peerAt = async ({ at, transport }: Served, byte = 1): Promise<RawPeer> =>
  await openRawPeer(at, transport.key, { keyPair: keyPairOf(byte) });

async function attached(served: Served, byte = 1): Promise<RawPeer> {
  const peer = await peerAt(served, byte);
  await attachRawPeer(peer);
  return peer;
}

/** Resolves when the other side has dealt with all that the peer said. */
async function isAnswered(peer: RawPeer | undefined): Promise<void> {
  peer?.send(PING);
  while ((await peer?.next())?.kind !== 'pong');
}

describe('a flood', () => {
  test('of knocks and half-done handshakes keeps nobody else out', async () => {
    const served = await serve({ limits: { maxHandshakes: 16 } });
    const flooding = await openRawSocket();
    const empty = new Uint8Array(COOKIE_BYTES);
    const knockWith = (cookie: Uint8Array) =>
      flooding.sendPacket({ kind: 'knock', token: randomBytes(TOKEN_BYTES), streamId: 1, cookie }, served.at);
    knockWith(empty);
    const { cookie } = await flooding.nextPacket('cookie');
    for (let round = 0; round < 40; round += 1) {
      for (let count = 0; count < 50; count += 1) knockWith(cookie);
      knockWith(empty);
      await flooding.nextPacket('cookie');
    }
    const opened = flooding.received.filter(({ bytes }) => bytes[4] === 5);
    expect(opened).toHaveLength(4);
    expect(await isServed(served)).toBe(true);
  });

  test('of connections that are left at once makes room for who is there', async () => {
    const served = await serve({ limits: { maxConnections: 8 } });
    for (let count = 0; count < 12; count += 1) {
      const peer = await attached(served, 10 + count);
      peer.path.destroy();
    }
    expect(await isServed(served)).toBe(true);
  });

  test('of one key ends its own oldest connections', async () => {
    const served = await serve();
    const peers: RawPeer[] = [];
    for (let count = 0; count < 18; count += 1) peers.push(await attached(served));
    await Promise.all([peers[0]?.ended, peers[1]?.ended]);
    await isAnswered(peers[17]);
    expect(await isServed(served)).toBe(true);
  });

  test('of streams is limited for each peer, and the others have theirs', async () => {
    const served = await serve({ maxStreamsPerConnection: 10 });
    const peer = await attached(served);
    for (let count = 0; count < 1_000; count += 1) {
      peer.sendData(muxFrame({ type: 1, flags: 1, streamId: 2 * count + 1 }));
    }
    await isAnswered(peer);
    expect(served.streams.length).toBeLessThanOrEqual(10);
    expect(await isServed(served)).toBe(true);
  });

  test('of introductions by one book is bounded, whoever closes its channels, and spares the other book', async () => {
    const port = openPort();
    let openStreams = 0;
    let mostStreams = 0;
    const counting: UdpPort = {
      ...port,
      createStream: (id, letsIn) => {
        const stream = port.createStream(id, letsIn);
        openStreams += 1;
        mostStreams = Math.max(mostStreams, openStreams);
        stream.on('close', () => {
          openStreams -= 1;
        });
        return stream;
      },
    };
    const hostile = await openHostileBook();
    await using honest = await openSmallBook();
    const keyPair = keyPairOf(SERVER);
    const links = createBookLinks({ keyPair, openSocket: openNodeLinkSocket });
    afterTest(async () => links.close());
    const served = createQueue<EncryptedStream>();
    const accepted = new AcceptedPeers({
      times: defaultTimes,
      maxConnections: 100,
      maxStreamsPerConnection: 10,
      onStream: served.put,
      onPathLost: () => undefined,
    });
    afterTest(() => accepted.close());
    const settled = acceptIntroductions({
      keyPair,
      links,
      books: [hostile.url, honest.url],
      udp: createUdpSide(counting, keyPair, () => undefined),
      accepted,
      handshakeTimeoutMs: 20_000,
      limits: { ...defaultConnectionLimits, maxHandshakes: 20, maxConnections: 30 },
      onRefused: () => undefined,
      signal: untilTestEnds(),
    });
    const end = await hostile.nextWelcomed();
    await settled;
    let answers = 0;
    for (let count = 0; count < 500; count += 1) {
      const channel = FIRST_BOOK_CHANNEL + count;
      const from = randomKey();
      end.tell({
        kind: 'introduction',
        channel,
        from,
        token: 'ab'.repeat(16),
        addresses: ['127.0.0.1:9'],
        streamId: 7,
      });
      end.tell({ kind: 'closed', channel, code: 'PEER_ABSENT', message: 'gone' });
    }
    // All are dealt with when the last one is: it is refused, as its channel closes from our side.
    end.tell({
      kind: 'introduction',
      channel: 2 ** 32 - 1,
      from: randomKey(),
      token: 'ab'.repeat(16),
      addresses: [],
      streamId: 7,
    });
    for (;;) {
      const said = await end.expectNextOf(['answer', 'close']);
      if (said.channel === 2 ** 32 - 1) break;
      if (said.kind === 'answer') answers += 1;
    }
    expect(mostStreams).toBeLessThanOrEqual(30);
    expect(answers).toBe(0);
    const near = openRelayPeer(3);
    const hints = [`book+${honest.url}`];
    const stream = await near.connect({ key: keyPair.key, hints }, { signal: untilTestEnds() });
    await stream.send(randomBytes(5));
    expect((await served.take()).remoteKey).toBe(near.key);
  });
});

describe('a peer that breaks the rules', () => {
  const data = (...frames: Uint8Array[]) => Buffer.concat([Uint8Array.of(0), ...frames]);
  const begin = muxFrame({ type: 1, flags: 1, streamId: 1 });

  test.each([
    ['says something else before what the path is for', PING],
    ['says nothing in a message', new Uint8Array(0)],
    ['attaches in a wrong version', Uint8Array.of(5, 9, ...new Uint8Array(27))],
    ['attaches with a message too long', Uint8Array.of(5, 1, ...new Uint8Array(60))],
    [
      'goes on with a connection that is not there',
      encodeAttach({ id: '11'.repeat(16), generation: 1, isNew: false, received: 0 }),
    ],
    [
      'received before anything was sent',
      encodeAttach({ id: '11'.repeat(16), generation: 1, isNew: true, received: 9 }),
    ],
  ])('at the beginning of a path loses it: it %s', async (_name, message) => {
    const served = await serve();
    const peer = await peerAt(served);
    peer.send(message);
    await peer.ended;
    expect(await isServed(served)).toBe(true);
  });

  test.each<[string, Uint8Array]>([
    ['acknowledges what was never sent', encodeAck(2 ** 40)],
    ['attaches the path again', encodeAttach({ id: '11'.repeat(16), generation: 2, isNew: true, received: 0 })],
    ['sends a kind that there is not', Uint8Array.of(99)],
    ['says goodbye in garbage', Uint8Array.of(7, 1, 2, 3)],
    ['says goodbye', encodeGoodbye({ code: 'CANCELLED', message: 'bye' })],
    ['sends a mux frame of another version', data(Uint8Array.from({ length: 12 }, () => 9))],
    ['announces a frame of 4 GiB', data(begin, muxFrame({ type: 0, streamId: 1, length: 2 ** 32 - 1 }))],
    ['sends more than the window of a stream', data(begin)],
    ['sends on a stream that there is not', data(muxFrame({ type: 0, streamId: 77, payload: randomBytes(9) }))],
    ['begins a stream with a number of ours', data(muxFrame({ type: 1, flags: 1, streamId: 2 }))],
    ['ends the multiplexing', data(muxFrame({ type: 3 }))],
  ])('harms itself alone: it %s', async (name, message) => {
    const served = await serve();
    const peer = await attached(served);
    peer.send(message);
    if (name.includes('window')) {
      for (let count = 0; count < 100; count += 1) {
        peer.send(data(muxFrame({ type: 0, streamId: 1, payload: new Uint8Array(60_000) })));
      }
    }
    // Either the path is over, or it goes on as ever.
    await Promise.race([peer.ended, isAnswered(peer)]);
    expect(await isServed(served)).toBe(true);
  });

  test('announces a message that is too long: only that stream breaks', async () => {
    const served = await serve();
    const peer = await attached(served);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(MAX_MESSAGE_BYTES + 1);
    peer.send(data(begin, muxFrame({ type: 0, streamId: 1, payload: length })));
    peer.send(data(muxFrame({ type: 1, flags: 1, streamId: 3 })));
    const whole = Buffer.from([0, 0, 0, 1, 42]);
    peer.send(data(muxFrame({ type: 0, streamId: 3, payload: whole })));
    let said = Buffer.alloc(0);
    while (!said.includes(whole)) {
      const message = await peer.next();
      if (message.kind === 'data') said = Buffer.concat([said, message.bytes]);
    }
    expect(served.streams).toHaveLength(2);
  });

  test('reads nothing of what it asks for: the others are served, and what waits is bounded', async () => {
    const served = await serve();
    const peer = await attached(served);
    peer.send(data(begin));
    // It asks for echoes, and never gives back a window or an acknowledgement.
    const message = new Uint8Array(60_000);
    const frame = Buffer.concat([
      Buffer.from([0, 0, (message.byteLength - 4) >> 8, (message.byteLength - 4) & 0xff]),
      message.subarray(4),
    ]);
    for (let count = 0; count < 4; count += 1) peer.send(data(muxFrame({ type: 0, streamId: 1, payload: frame })));
    for (let count = 0; count < 2_000; count += 1) peer.send(data(muxFrame({ type: 2, flags: 1, length: count })));
    expect(await isServed(served)).toBe(true);
  });

  test('is dropped when it says nothing on a path that it opened', async () => {
    const served = await serve({ handshakeTimeoutMs: 100 });
    const peer = await peerAt(served);
    await peer.ended;
    expect(await isServed(served)).toBe(true);
  });

  test('cannot go on with the connection of another key, though it knows its number', async () => {
    const served = await serve();
    const victim = await peerAt(served, 1);
    const id = '42'.repeat(16);
    victim.send(encodeAttach({ id, generation: 1, isNew: true, received: 0 }));
    expect((await victim.next()).kind).toBe('attached');
    const thief = await peerAt(served, 5);
    thief.send(encodeAttach({ id, generation: 9, isNew: false, received: 0 }));
    expect(await thief.next()).toMatchObject({ kind: 'goodbye', code: 'STREAM_CLOSED' });
    await thief.ended;
    await isAnswered(victim);
  });
});

function randomKey(): PeerKey {
  return peerKeySchema.parse(`0x${hexOfBytes(randomBytes(32))}`);
}

test('a listener that nobody finds by its key is not taken for another one', async () => {
  const served = await serve();
  const near = open(7);
  const wrong = near.connect({ key: randomKey(), hints: served.hints }, { signal: untilTestEnds() });
  expect((await failureOf(wrong)).code).toBe('PEER_WRONG_KEY');
});
