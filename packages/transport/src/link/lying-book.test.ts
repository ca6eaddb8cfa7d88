import type { BookLinkMessage } from '@latent/protocol';
import { writeRelayChannel } from '@latent/protocol';
import { describe, expect, test } from 'vitest';
import { exchange, exchangeWith, openEchoPeer, openPeer, openRelayPeer } from '../peer/echoes.fixture.ts';
import { failureOf, keyPairOf, untilTestEnds } from '../udp/raw-socket.fixture.ts';
import { createQueue } from './hostile-book.fixture.ts';
import { openLyingBook } from './lying-book.fixture.ts';

const [NEAR, FAR, OTHER, OTHER_FAR] = [1, 2, 3, 4];
const keyOf = (byte: number) => keyPairOf(byte).key;

describe.each([
  ['relayed', openRelayPeer],
  ['over UDP too', openPeer],
] as const)('a book that lies to peers who meet %s', (_name, open) => {
  const meet = async () => {
    const book = await openLyingBook();
    const far = await openEchoPeer(FAR, { books: [book.url] });
    const other = await openEchoPeer(OTHER, { books: [book.url] });
    const near = open(NEAR, { handshakeTimeoutMs: 2_000 });
    const hints = [`book+${book.url}`];
    const connect = () => near.connect({ key: far.transport.key, hints }, { signal: untilTestEnds() });
    return { book, far, other, near, hints, connect };
  };

  test('introduces somebody else: the key tells', async () => {
    const { book, far, other, connect } = await meet();
    book.toBook = (message) => (message.kind === 'introduce' ? { ...message, to: other.transport.key } : message);
    const failure = await failureOf(connect());
    expect(failure.code).toBe('PEER_WRONG_KEY');
    expect(failure.details).toMatchObject({ expected: far.transport.key, actual: other.transport.key });
    expect([far.streams, other.streams]).toEqual([[], []]);
  });

  test('says that another peer wants to connect: what the peer proves is what counts', async () => {
    const { book, far, near, hints } = await meet();
    book.toPeer = (message) => (message.kind === 'introduction' ? { ...message, from: keyOf(99) } : message);
    expect(await exchangeWith(near, far, hints, { byte: FAR, seed: 1, messages: 5 })).toBe('all');
    expect(far.streams.map(({ remoteKey }) => remoteKey)).toEqual([near.key]);
  });

  test('gives each side another token, other addresses and other numbers: it goes through the book then', async () => {
    const { book, far, near, hints } = await meet();
    const nowhere = { addresses: ['127.0.0.1:9', '[::1]:9'], streamId: 12_345 };
    book.toPeer = (message) => {
      if (message.kind === 'introduction') return { ...message, ...nowhere, token: 'ee'.repeat(16) };
      return message.kind === 'answer' ? { ...message, ...nowhere } : message;
    };
    expect(await exchangeWith(near, far, hints, { byte: FAR, seed: 1, messages: 5 })).toBe('all');
  });

  test('introduces a peer to itself: the key tells', async () => {
    const { book, far, other, hints } = await meet();
    book.toBook = (message) => (message.kind === 'introduce' ? { ...message, to: other.transport.key } : message);
    const failure = await failureOf(
      other.transport.connect({ key: far.transport.key, hints }, { signal: untilTestEnds() }),
    );
    expect(failure.code).toBe('PEER_WRONG_KEY');
  });

  test('says that the peer proved a wrong key: it cannot know, and is not believed', async () => {
    const { book, connect } = await meet();
    book.toPeer = (message, key) =>
      message.kind === 'answer' && key === keyOf(NEAR)
        ? { kind: 'closed', channel: message.channel, code: 'PEER_WRONG_KEY', message: 'somebody else is there' }
        : message;
    expect((await failureOf(connect())).code).toBe('PEER_UNREACHABLE');
  });
});

test('a book that mixes up two pairs of peers gets no stream into wrong hands', async () => {
  const book = await openLyingBook();
  const far = await openEchoPeer(FAR, { books: [book.url] });
  const otherFar = await openEchoPeer(OTHER_FAR, { books: [book.url] });
  const hints = [`book+${book.url}`];
  const [near, other] = [openPeer(NEAR), openPeer(OTHER)];
  // What both pairs are told of each other changes places, as soon as both are there.
  const waiting: { readonly message: BookLinkMessage & { readonly kind: 'introduction' } }[] = [];
  book.toPeer = (message) => {
    if (message.kind !== 'introduction') return message;
    const [swapped] = waiting.splice(0, 1);
    waiting.push({ message });
    if (swapped === undefined) return message;
    const { token, addresses, streamId, from } = swapped.message;
    return { ...message, token, addresses, streamId, from };
  };
  const outcomes = await Promise.all([
    exchangeWith(near, far, hints, { byte: FAR, seed: 1 }),
    exchangeWith(other, otherFar, hints, { byte: OTHER_FAR, seed: 2 }),
    exchangeWith(near, otherFar, hints, { byte: OTHER_FAR, seed: 3 }),
    exchangeWith(other, far, hints, { byte: FAR, seed: 4 }),
  ]);
  expect(outcomes).toEqual(['all', 'all', 'all', 'all']);
  for (const { streams } of [far, otherFar]) {
    expect(new Set(streams.map(({ remoteKey }) => remoteKey))).toEqual(new Set([near.key, other.key]));
  }
});

test('a handshake that was recorded opens nothing when it is played again on a new channel', async () => {
  const book = await openLyingBook();
  const far = await openEchoPeer(FAR, { books: [book.url], handshakeTimeoutMs: 300 });
  const hints = [`book+${book.url}`];
  const recorded: Buffer[] = [];
  book.relay = (frame, key) => {
    if (key === keyOf(NEAR)) recorded.push(Buffer.from(frame));
    return [frame];
  };
  const near = openRelayPeer(NEAR);
  expect(await exchangeWith(near, far, hints, { byte: FAR, seed: 1, messages: 5 })).toBe('all');
  // The handshake takes two; what follows may leave together.
  expect(recorded.length).toBeGreaterThan(2);
  const streamsBefore = far.streams.length;
  // Somebody without the key is introduced, and the book plays what the peer had said.
  const introduced = createQueue<number>();
  book.toPeer = (message, key) => {
    if (message.kind === 'introduction' && key === keyOf(FAR)) introduced.put(message.channel);
    return message;
  };
  book.relay = () => [];
  const thief = openRelayPeer(OTHER, { handshakeTimeoutMs: 600 });
  const thieving = failureOf(thief.connect({ key: far.transport.key, hints }, { signal: untilTestEnds() }));
  const channel = await introduced.take();
  for (const frame of recorded) {
    writeRelayChannel(frame, channel);
    book.send(frame, keyOf(FAR));
  }
  expect((await thieving).code).toBe('PEER_UNREACHABLE');
  expect(far.streams).toHaveLength(streamsBefore);
  expect(far.refused.map(({ code }) => code)).toEqual(['PEER_UNREACHABLE']);
});

test('a book that sends a peer its own words back opens nothing', async () => {
  const book = await openLyingBook();
  const far = await openEchoPeer(FAR, { books: [book.url] });
  const near = openRelayPeer(NEAR, { handshakeTimeoutMs: 600 });
  book.relay = (frame, key) => {
    if (key !== undefined) book.send(frame, key);
    return [];
  };
  const hints = [`book+${book.url}`];
  expect(['PEER_UNREACHABLE', 'PEER_WRONG_KEY']).toContain(
    (await failureOf(near.connect({ key: far.transport.key, hints }, { signal: untilTestEnds() }))).code,
  );
  expect(far.streams).toEqual([]);
});

test('a book that loops a stream back in the middle changes nothing in it', async () => {
  const book = await openLyingBook();
  const far = await openEchoPeer(FAR, { books: [book.url] });
  const near = openRelayPeer(NEAR);
  const hints = [`book+${book.url}`];
  const stream = await near.connect({ key: far.transport.key, hints }, { signal: untilTestEnds() });
  let loops = 0;
  book.relay = (frame, key) => {
    const isLooped = key !== undefined && loops < 3 && frame.byteLength > 1_000;
    if (!isLooped) return [frame];
    loops += 1;
    book.send(Buffer.from(frame), key);
    return [frame];
  };
  expect(await exchange(stream, { byte: FAR, seed: 8 })).toBe('all');
  expect(loops).toBeGreaterThan(0);
});
