import type { Discovery, LatentError } from '@latent/protocol';
import { FIRST_BOOK_CHANNEL, MAX_LINK_MESSAGE_BYTES } from '@latent/protocol';
import { describe, expect, test } from 'vitest';
import { randomBytes } from '../key-pair.ts';
import { afterTest, failureOf, keyPairOf } from '../udp/raw-socket.fixture.ts';
import type { LinkChannel } from './book-link.ts';
import { type BookLink, type BookLinkOptions, type Introduction, openBookLink } from './book-link.ts';
import {
  CHALLENGE,
  createQueue,
  type HostileEnd,
  openHostileBook,
  openRawServer,
  type Queue,
  WELCOME,
} from './hostile-book.fixture.ts';
import { openNodeLinkSocket } from './node-link-socket.ts';
import { openSmallBook } from './small-book.fixture.ts';

const TOKEN = 'ab'.repeat(16);
const MEETING = { addresses: ['127.0.0.1:9'], streamId: 7 };

interface Linked {
  readonly link: BookLink;
  readonly introductions: Queue<Introduction>;
  readonly ended: Promise<LatentError>;
}

function open(bookUrl: string, byte: number, options: Partial<BookLinkOptions> = {}): Linked {
  const introductions = createQueue<Introduction>();
  const ended = Promise.withResolvers<LatentError>();
  const reasons: LatentError[] = [];
  const link = openBookLink({
    bookUrl,
    keyPair: keyPairOf(byte),
    openSocket: openNodeLinkSocket,
    onIntroduction: introductions.put,
    onEnded: (reason) => {
      reasons.push(reason);
      ended.resolve(reason);
    },
    ...options,
  });
  afterTest(async () => {
    link.close();
    await ended.promise;
    expect(reasons).toHaveLength(1);
  });
  return { link, introductions, ended: ended.promise };
}

/** Two peers with a channel between them, through a small book. */
async function meetAtSmallBook() {
  const book = await openSmallBook();
  afterTest(async () => await book[Symbol.asyncDispose]());
  const near = open(book.url, 1);
  const far = open(book.url, 2);
  await Promise.all([near.link.ready, far.link.ready]);
  const channel = near.link.introduce(keyPairOf(2).key, TOKEN, MEETING);
  const introduction = await far.introductions.take();
  return { book, near, far, channel, introduction };
}

async function read(channel: LinkChannel, bytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const done = Promise.withResolvers<Uint8Array>();
  channel.bytes.on('data', (chunk) => {
    chunks.push(chunk);
    const all = Buffer.concat(chunks);
    if (all.byteLength >= bytes) done.resolve(Uint8Array.from(all));
  });
  channel.bytes.on('close', () => done.reject(new Error('closed')));
  return await done.promise;
}

const closeOf = (channel: LinkChannel) =>
  new Promise<Error | undefined>((resolve) => {
    let reason: Error | undefined;
    channel.bytes.on('error', (error) => {
      reason = error;
    });
    channel.bytes.on('close', () => resolve(reason));
  });

describe('a link', () => {
  test('introduces peers, passes their answers on, and relays both ways', async () => {
    const { near, far, channel, introduction } = await meetAtSmallBook();
    expect(introduction).toMatchObject({ from: keyPairOf(1).key, token: TOKEN, ...MEETING });
    expect(introduction.messageBytes).toBeGreaterThan(JSON.stringify(MEETING).length);
    introduction.channel.answer({ addresses: ['127.0.0.2:8'], streamId: 8 });
    expect(await channel.answered).toEqual({ addresses: ['127.0.0.2:8'], streamId: 8 });
    const there = randomBytes(60_000);
    const back = randomBytes(50_000);
    channel.bytes.write(there);
    introduction.channel.bytes.write(back);
    const [arrivedThere, arrivedBack] = await Promise.all([
      read(introduction.channel, there.byteLength),
      read(channel, back.byteLength),
    ]);
    expect([Buffer.compare(arrivedThere, there), Buffer.compare(arrivedBack, back)]).toEqual([0, 0]);
    expect([near.link.channels, far.link.channels]).toEqual([1, 1]);
    channel.bytes.destroy();
    const reason = await closeOf(introduction.channel);
    expect(reason).toMatchObject({ code: 'PEER_ABSENT' });
    expect([near.link.channels, far.link.channels]).toEqual([0, 0]);
  });

  test('knows what the book says of it', async () => {
    const { near } = await meetAtSmallBook();
    const welcome = await near.link.ready;
    expect(welcome).toMatchObject({ observed: '127.0.0.1', freeRelayBytes: 1e9 });
    expect(await near.link.challenged).toEqual(welcome.discovery);
    expect(near.link.isOpen).toBe(true);
  });

  test('closes the channel to a peer that is not there', async () => {
    const { near } = await meetAtSmallBook();
    const channel = near.link.introduce(keyPairOf(9).key, TOKEN, MEETING);
    expect((await failureOf(channel.answered)).code).toBe('PEER_ABSENT');
    expect(near.link.channels).toBe(1);
  });

  test('that is cut takes its channels with it', async () => {
    const { book, near, far, channel, introduction } = await meetAtSmallBook();
    const ends = [closeOf(channel), closeOf(introduction.channel)];
    book.cutLinks();
    const reasons = [await near.ended, await far.ended, ...(await Promise.all(ends))];
    for (const reason of reasons)
      expect(['BOOK_UNREACHABLE', 'PEER_ABSENT']).toContain(Reflect.get(reason ?? {}, 'code'));
    expect((await failureOf(channel.answered)).code).toBe('BOOK_UNREACHABLE');
    expect([near.link.isOpen, near.link.channels, far.link.channels]).toEqual([false, 0, 0]);
    const late = near.link.introduce(keyPairOf(2).key, TOKEN, MEETING);
    expect((await failureOf(late.answered)).code).toBe('BOOK_UNREACHABLE');
    expect(late.bytes.destroying).toBe(true);
    // Nothing to say it to.
    introduction.channel.answer(MEETING);
    late.bytes.destroy();
  });

  test('to where no book is fails', async () => {
    const nobody = open('http://127.0.0.1:9', 1);
    expect((await failureOf(nobody.link.ready)).code).toBe('BOOK_UNREACHABLE');
    expect((await failureOf(nobody.link.challenged)).code).toBe('BOOK_UNREACHABLE');
    const page = await openRawServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\n')));
    expect((await failureOf(open(page, 1).link.ready)).code).toBe('BOOK_UNREACHABLE');
  });
});

const INTRODUCTION = { kind: 'introduction', from: keyPairOf(3).key, token: TOKEN, ...MEETING } as const;
const DISCOVERY: Discovery = { ports: [1, 2] };

describe('a hostile book', () => {
  const at = async (said: (end: HostileEnd) => void | Promise<void>, options: Partial<BookLinkOptions> = {}) => {
    const book = await openHostileBook();
    const linked = open(book.url, 1, options);
    const end = await book.nextLink();
    await said(end);
    return { ...linked, end };
  };
  const challenge = async (end: HostileEnd) => {
    end.tell(CHALLENGE);
    await end.expectNext('hello');
  };
  const welcome = async (end: HostileEnd) => {
    await challenge(end);
    end.tell(WELCOME);
  };

  test.each<[string, (end: HostileEnd) => void | Promise<void>]>([
    ['sends what is no JSON', (end) => end.send('{"kind":')],
    ['sends JSON that is no message', (end) => end.send('{"kind":"challenge"}')],
    ['sends a message of a peer', (end) => end.send('{"kind":"close","channel":1}')],
    ['sends nothing but null', (end) => end.send('null')],
    ['nests without end', (end) => end.send('['.repeat(8_000))],
    ['sends a text that is too long', (end) => end.send(`{"kind":"challenge"${' '.repeat(MAX_LINK_MESSAGE_BYTES)}`)],
    ['welcomes before a challenge', (end) => end.tell(WELCOME)],
    ['introduces before a challenge', (end) => end.tell({ ...INTRODUCTION, channel: FIRST_BOOK_CHANNEL })],
    [
      'introduces before the welcome',
      async (end) => {
        await challenge(end);
        end.tell({ ...INTRODUCTION, channel: FIRST_BOOK_CHANNEL });
      },
    ],
    [
      'challenges twice',
      async (end) => {
        await challenge(end);
        end.tell(CHALLENGE);
      },
    ],
    [
      'challenges after the welcome',
      async (end) => {
        await welcome(end);
        end.tell(CHALLENGE);
      },
    ],
    [
      'welcomes twice',
      async (end) => {
        await welcome(end);
        end.tell(WELCOME);
      },
    ],
    [
      "introduces on a channel of the peer's numbers",
      async (end) => {
        await welcome(end);
        end.tell({ ...INTRODUCTION, channel: FIRST_BOOK_CHANNEL - 1 });
      },
    ],
    [
      'introduces twice on one channel',
      async (end) => {
        await welcome(end);
        end.tell({ ...INTRODUCTION, channel: FIRST_BOOK_CHANNEL });
        end.tell({ ...INTRODUCTION, channel: FIRST_BOOK_CHANNEL });
      },
    ],
  ])('that %s loses the link', async (_name, said) => {
    const { ended, end } = await at(said);
    expect((await ended).code).toBe('MESSAGE_INVALID');
    await end.ended;
  });

  test('that introduces to somebody who accepts nobody loses the link', async () => {
    const book = await openHostileBook();
    const ended = Promise.withResolvers<LatentError>();
    openBookLink({
      bookUrl: book.url,
      keyPair: keyPairOf(1),
      openSocket: openNodeLinkSocket,
      onEnded: ended.resolve,
    });
    const end = await book.nextWelcomed();
    end.tell({ ...INTRODUCTION, channel: FIRST_BOOK_CHANNEL });
    expect((await ended.promise).code).toBe('MESSAGE_INVALID');
  });

  test('that sends a message longer than any loses the link', async () => {
    const { ended } = await at(async (end) => {
      await welcome(end);
      end.send(new Uint8Array(1 << 20));
    });
    expect((await ended).code).toBe('BOOK_UNREACHABLE');
    const { ended: byText } = await at((end) => end.send('x'.repeat(1 << 20)));
    expect((await byText).code).toBe('BOOK_UNREACHABLE');
  });

  test('sees a signature that is worth nothing at another book', async () => {
    const book = await openHostileBook();
    const linked = open(book.url, 1);
    const end = await book.nextLink();
    end.tell({ kind: 'challenge', challenge: `0x${'22'.repeat(32)}`, discovery: DISCOVERY });
    const hello = await end.expectNext('hello');
    expect(hello).toMatchObject({ key: keyPairOf(1).key, accepts: true });
    expect(await linked.link.challenged).toEqual(DISCOVERY);
    const elsewhere = await openHostileBook();
    open(elsewhere.url, 1);
    const otherEnd = await elsewhere.nextLink();
    otherEnd.tell({ kind: 'challenge', challenge: `0x${'22'.repeat(32)}` });
    expect((await otherEnd.expectNext('hello')).signature).not.toBe(hello.signature);
  });

  test('may speak of channels that are not there, and of those that just were', async () => {
    const { link, end, introductions } = await at(welcome);
    await link.ready;
    end.relay(0, randomBytes(9));
    end.relay(77, randomBytes(9));
    end.send(Uint8Array.of(1, 2));
    end.send(new Uint8Array(0));
    end.tell({ kind: 'answer', channel: 77, ...MEETING });
    end.tell({ kind: 'closed', channel: 77, code: 'PEER_ABSENT', message: 'gone' });
    end.tell({ ...INTRODUCTION, channel: FIRST_BOOK_CHANNEL });
    const first = await introductions.take();
    first.channel.bytes.destroy();
    expect(await end.next()).toEqual({ kind: 'close', channel: FIRST_BOOK_CHANNEL });
    end.relay(FIRST_BOOK_CHANNEL, randomBytes(9));
    end.tell({ kind: 'answer', channel: FIRST_BOOK_CHANNEL, ...MEETING });
    // The number may be given to another one now; what is said of the first does not reach it.
    end.tell({ ...INTRODUCTION, channel: FIRST_BOOK_CHANNEL, streamId: 8 });
    const second = await introductions.take();
    first.channel.answer(MEETING);
    first.channel.bytes.destroy();
    second.channel.answer({ addresses: [], streamId: 9 });
    expect(await end.next()).toMatchObject({ kind: 'answer', channel: FIRST_BOOK_CHANNEL, streamId: 9 });
    expect([link.isOpen, link.channels]).toEqual([true, 1]);
  });

  test('may answer more than once: the first answer counts', async () => {
    const { link, end } = await at(welcome);
    await link.ready;
    const channel = link.introduce(keyPairOf(2).key, TOKEN, MEETING);
    const { channel: number } = await end.expectNext('introduce');
    end.tell({ kind: 'answer', channel: number, addresses: [], streamId: 1 });
    end.tell({ kind: 'answer', channel: number, ...MEETING });
    end.tell({ kind: 'closed', channel: number, code: 'RELAY_QUOTA', message: 'used up' });
    const reason = await closeOf(channel);
    expect(reason).toMatchObject({ code: 'RELAY_QUOTA' });
    expect(await channel.answered).toEqual({ addresses: [], streamId: 1 });
  });

  test.each([
    ['PEER_ABSENT', 'PEER_ABSENT'],
    ['RELAY_QUOTA', 'RELAY_QUOTA'],
    ['BOOK_RATE_LIMITED', 'BOOK_RATE_LIMITED'],
    ['PEER_WRONG_KEY', 'BOOK_UNREACHABLE'],
    ['INTERNAL', 'BOOK_UNREACHABLE'],
    ['toString', 'BOOK_UNREACHABLE'],
    ['', 'BOOK_UNREACHABLE'],
  ])('that closes with the code %j is taken for %s: it speaks for itself only', async (code, taken) => {
    const { link, end } = await at(welcome);
    await link.ready;
    const channel = link.introduce(keyPairOf(2).key, TOKEN, MEETING);
    await end.expectNext('introduce');
    end.tell({ kind: 'closed', channel: 1, code, message: 'because' });
    const failure = await failureOf(channel.answered);
    expect(failure.code).toBe(taken);
    expect(failure.message).toBe('The book says: because');
  });

  test.each(['before the challenge', 'after the challenge', 'after the welcome'] as const)(
    'that refuses the link %s is quoted, whatever ends it then',
    async (when) => {
      const { ended } = await at(async (end) => {
        if (when !== 'before the challenge') await challenge(end);
        if (when === 'after the welcome') end.tell(WELCOME);
        end.tell({ kind: 'refused', code: 'NOT_ALLOWED', message: 'no' });
        end.cut();
      });
      const reason = await ended;
      expect([reason.code, reason.message]).toEqual(['NOT_ALLOWED', 'The book says: no']);
    },
  );

  test('that closes in the middle ends what was under way', async () => {
    const { link, end } = await at(welcome);
    await link.ready;
    const channel = link.introduce(keyPairOf(2).key, TOKEN, MEETING);
    await end.expectNext('introduce');
    const closed = closeOf(channel);
    channel.bytes.write(randomBytes(60_000));
    end.cut();
    expect((await failureOf(channel.answered)).code).toBe('BOOK_UNREACHABLE');
    expect(await closed).toMatchObject({ code: 'BOOK_UNREACHABLE' });
  });

  test('that cuts before the challenge, or never answers hello, is told apart from one that is there', async () => {
    const { link } = await at((end) => end.cut());
    expect((await failureOf(link.challenged)).code).toBe('BOOK_UNREACHABLE');
    const { link: silent } = await at(challenge);
    expect(await silent.challenged).toBeUndefined();
    silent.close();
    expect((await failureOf(silent.ready)).code).toBe('CANCELLED');
  });

  test('hears nothing of a peer before it was shown our key, and then need not welcome us first', async () => {
    const { link, end } = await at(() => undefined);
    const channel = link.introduce(keyPairOf(2).key, TOKEN, MEETING);
    expect((await failureOf(channel.answered)).code).toBe('BOOK_UNREACHABLE');
    end.tell(CHALLENGE);
    await link.challenged;
    link.introduce(keyPairOf(2).key, TOKEN, MEETING);
    await end.expectNext('hello');
    expect(await end.expectNext('introduce')).toMatchObject({ channel: 2 });
  });

  test('that refuses our key ends what was asked of it behind the hello', async () => {
    const { link, end } = await at(challenge);
    const channel = link.introduce(keyPairOf(2).key, TOKEN, MEETING);
    await end.expectNext('introduce');
    end.tell({ kind: 'refused', code: 'NOT_ALLOWED', message: 'no' });
    end.cut();
    expect((await failureOf(channel.answered)).code).toBe('NOT_ALLOWED');
    expect(link.channels).toBe(0);
  });
});
