import { FIRST_BOOK_CHANNEL, leaseIdSchema, RELAY_HEADER_BYTES } from '@latent/protocol';
import { describe, expect, test } from 'vitest';
import { createBookLinks } from '../peer/book-links.ts';
import { afterTest, keyPairOf } from '../udp/raw-socket.fixture.ts';
import { type BookLink, openBookLink } from './book-link.ts';
import { CHALLENGE, createQueue, openHostileBook, type Queue, WELCOME } from './hostile-book.fixture.ts';
import { openNodeLinkSocket } from './node-link-socket.ts';
import type { RelayPayer, RelayWord } from './relay-payer.ts';

const LEASE = leaseIdSchema.parse(`0x${'1e'.repeat(32)}`);
const SIGNATURE = `0x${'33'.repeat(65)}` as const;
const CLAIM = { leaseId: LEASE, member: 0, units: 3n, signature: SIGNATURE };
const MEETING = { addresses: [], streamId: 1 };

interface Heard {
  readonly words: Queue<readonly [string, RelayWord]>;
  readonly counts: number[];
  readonly payer: RelayPayer;
}

function listen(): Heard {
  const words = createQueue<readonly [string, RelayWord]>();
  const counts: number[] = [];
  const payer: RelayPayer = {
    onWord: (book, word) => words.put([book, word]),
    onRelayed: (_book, bytes) => void counts.push(bytes),
  };
  return { words, counts, payer };
}

function open(bookUrl: string, payer: RelayPayer | undefined): BookLink {
  const link = openBookLink({
    ...{ bookUrl, keyPair: keyPairOf(1), openSocket: openNodeLinkSocket, payer },
    onIntroduction: () => undefined,
  });
  afterTest(async () => link.close());
  return link;
}

describe('who pays for what a book relays', () => {
  test('is known to the book by its hello, and hears every word on payment, with amounts as numbers', async () => {
    const book = await openHostileBook();
    const { words, payer } = listen();
    open(book.url, payer);
    const end = await book.nextLink();
    end.tell(CHALLENGE);
    expect((await end.expectNext('hello')).pays).toBe(true);
    end.tell(WELCOME);
    expect(await words.take()).toEqual([book.url, { kind: 'linked', freeRelayBytes: 1e9 }]);
    end.tell({ kind: 'allowance', freeRelayBytes: 7 });
    end.send(JSON.stringify({ kind: 'relayed', leaseId: LEASE, usedBytes: 5, coveredUnits: '9' }));
    end.tell({ kind: 'unpaid', leaseId: LEASE, code: 'LEASE_NOT_MINE', message: 'no' });
    end.send(JSON.stringify({ kind: 'claimed', claim: { ...CLAIM, units: '3' } }));
    expect((await words.take())[1]).toEqual({ kind: 'allowance', freeRelayBytes: 7 });
    expect((await words.take())[1]).toEqual({ kind: 'relayed', leaseId: LEASE, usedBytes: 5, coveredUnits: 9n });
    expect((await words.take())[1]).toMatchObject({ kind: 'unpaid', code: 'LEASE_NOT_MINE' });
    expect((await words.take())[1]).toEqual({ kind: 'claimed', claim: CLAIM });
  });

  test('is nobody unless one is given', async () => {
    const book = await openHostileBook();
    open(book.url, undefined);
    const end = await book.nextLink();
    end.tell(CHALLENGE);
    expect((await end.expectNext('hello')).pays).toBeUndefined();
  });

  test('counts both ways of the channels it opened, frames in whole, and nothing of those that others opened', async () => {
    const book = await openHostileBook();
    const { words, counts, payer } = listen();
    const link = open(book.url, payer);
    const end = await book.nextWelcomed();
    await words.take();
    const channel = link.introduce(keyPairOf(2).key, 'ab'.repeat(16), MEETING);
    const { channel: number } = await end.expectNext('introduce');
    end.tell({
      kind: 'introduction',
      channel: FIRST_BOOK_CHANNEL,
      from: keyPairOf(3).key,
      token: 'ab'.repeat(16),
      ...MEETING,
    });
    end.relay(FIRST_BOOK_CHANNEL, new Uint8Array(50));
    end.relay(number, new Uint8Array(100));
    channel.bytes.write(new Uint8Array(30));
    expect(await end.next()).toHaveLength(30 + RELAY_HEADER_BYTES);
    end.tell({ kind: 'closed', channel: number, code: 'RELAY_QUOTA', message: 'used up' });
    expect((await words.take())[1]).toEqual({ kind: 'cut' });
    expect([...counts].sort((a, b) => a - b)).toEqual([30 + RELAY_HEADER_BYTES, 100 + RELAY_HEADER_BYTES]);
  });

  test('says its word over a link that is opened for it, once the book has welcomed it', async () => {
    const book = await openHostileBook();
    const links = createBookLinks({ keyPair: keyPairOf(1), openSocket: openNodeLinkSocket, payer: listen().payer });
    afterTest(async () => links.close());
    links.pay(book.url, { kind: 'claim', leaseId: LEASE });
    const end = await book.nextWelcomed();
    expect(await end.expectNext('claim')).toEqual({ kind: 'claim', leaseId: LEASE });
  });

  test('loses a book that speaks of payment before its welcome', async () => {
    const book = await openHostileBook();
    const link = open(book.url, listen().payer);
    const end = await book.nextLink();
    end.tell({ kind: 'allowance', freeRelayBytes: 7 });
    await expect(link.ready).rejects.toMatchObject({ code: 'MESSAGE_INVALID' });
  });
});
