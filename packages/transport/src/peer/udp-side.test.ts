import { decodeDiscoveryQuestion, encodeDiscoveryAnswer } from '@latent/protocol';
import { describe, expect, test } from 'vitest';
import { hexOfBytes } from '../hex.ts';
import { createKeyPair, randomBytes } from '../key-pair.ts';
import { openPort, openRawSocket, type RawSocket, untilTestEnds } from '../udp/raw-socket.fixture.ts';
import { createUdpSide, isGlobalAddress } from './udp-side.ts';

/** Answers the next question that is new: it was seen to come from there. */
async function answerNext(book: RawSocket, answered: Set<string>, lastByte: number): Promise<void> {
  for (;;) {
    const { bytes, from } = await book.next();
    const { nonce } = decodeDiscoveryQuestion(bytes) ?? expect.unreachable('no question');
    if (answered.has(hexOfBytes(nonce))) continue;
    answered.add(hexOfBytes(nonce));
    book.send(encodeDiscoveryAnswer({ nonce, address: Uint8Array.of(203, 0, 113, lastByte), port: 4_433 }), from);
    return;
  }
}

test('what a book was asked before our network changed is not believed when it is answered after', async () => {
  const books = [await openRawSocket(), await openRawSocket()] as const;
  const [first, second] = books;
  const answered = new Set<string>();
  const ports: [number, number] = [first.address.port, second.address.port];
  const link = { bookUrl: 'http://127.0.0.1', challenged: Promise.resolve({ ports, host: '127.0.0.1' }) };
  const side = createUdpSide(openPort(), createKeyPair(randomBytes(32)), () => undefined);
  const signal = untilTestEnds();

  const asked = side.discoverBy(link, signal);
  await answerNext(first, answered, 1);
  expect((await side.meeting(link, signal)).addresses).toContain('203.0.113.1:4433');
  side.forget();
  await answerNext(second, answered, 1);
  await asked;
  expect(side.knownMeeting(link)).toBeUndefined();

  const askedAgain = side.discoverBy(link, signal);
  await Promise.all(books.map((book) => answerNext(book, answered, 2)));
  await askedAgain;
  expect(side.knownMeeting(link)?.addresses).toContain('203.0.113.2:4433');
  expect(side.knownMeeting(link)?.addresses).not.toContain('203.0.113.1:4433');
});

describe('an address that can be reached from anywhere', () => {
  test.each([
    '8.8.8.8',
    '1.0.0.1',
    '100.63.255.255',
    '100.128.0.0',
    '172.15.0.1',
    '172.32.0.1',
    '169.253.1.1',
    '192.167.0.1',
    '223.255.255.255',
    '2001:4860:4860::8888',
    '2a00::1',
    '3fff::1',
  ])('%s is one', (host) => {
    expect(isGlobalAddress(host)).toBe(true);
  });

  test.each([
    ['this host', '0.0.0.0'],
    ['loopback', '127.0.0.1'],
    ['loopback', '127.255.255.254'],
    ['private', '10.0.0.1'],
    ['private', '172.16.0.1'],
    ['private', '172.31.255.255'],
    ['private', '192.168.0.1'],
    ['shared by many lines', '100.64.0.1'],
    ['shared by many lines', '100.127.255.255'],
    ['of one link', '169.254.1.1'],
    ['of many', '224.0.0.1'],
    ['of all', '255.255.255.255'],
    ['loopback', '::1'],
    ['this host', '::'],
    ['of one link', 'fe80::1'],
    ['private', 'fd00::1'],
    ['of many', 'ff02::1'],
    ['an IPv4 address in another dress', '::ffff:8.8.8.8'],
    ['not given out', '2::1'],
    ['no address', 'example.org'],
    ['nothing', ''],
  ])('none is %s: %s', (_what, host) => {
    expect(isGlobalAddress(host)).toBe(false);
  });
});
