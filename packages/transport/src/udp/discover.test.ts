import { DISCOVERY_NONCE_BYTES, decodeDiscoveryQuestion, encodeDiscoveryAnswer } from '@latent/protocol';
import { describe, expect, test, vi } from 'vitest';
import { bytesOfHex } from '../hex.ts';
import { randomBytes } from '../key-pair.ts';
import { type DiscoverOptions, discover, type Sighting, seenAddresses } from './discover.ts';
import { addressOf, dealtWith, openPort, openRawSocket, type RawSocket, untilTestEnds } from './raw-socket.fixture.ts';
import type { UdpPort } from './udp-port.ts';

async function askBook(port: UdpPort, books: readonly RawSocket[], options: Partial<DiscoverOptions> = {}) {
  const [first, second] = books;
  return await discover(port, {
    host: '127.0.0.1',
    ports: [first?.address.port ?? 9, second?.address.port ?? 9],
    timeoutMs: 20_000,
    signal: untilTestEnds(),
    ...options,
  });
}

const nonceIn = (bytes: Uint8Array) => decodeDiscoveryQuestion(bytes)?.nonce ?? expect.unreachable('no question');
const seenAt = (port: number) => ({ address: Uint8Array.of(203, 0, 113, 7), port });

describe('discovery', () => {
  test('asks two ports, and is done as soon as both have answered', async () => {
    const port = openPort();
    const books = [await openRawSocket(), await openRawSocket()] as const;
    const told: Sighting[] = [];
    const discovering = askBook(port, books, { onSighting: (sighting) => told.push(sighting) });
    for (const [at, book] of books.entries()) {
      const { bytes, from } = await book.next();
      expect(from).toEqual(addressOf(port));
      book.send(encodeDiscoveryAnswer({ nonce: nonceIn(bytes), ...seenAt(4_433 + at) }), from);
      // An answer that comes twice counts once.
      book.send(encodeDiscoveryAnswer({ nonce: nonceIn(bytes), ...seenAt(4_433 + at) }), from);
    }
    const sightings = await discovering;
    expect(sightings.map(({ askedPort, seen, family }) => ({ askedPort, seen, family }))).toEqual([
      { family: 4, askedPort: books[0].address.port, seen: { host: '203.0.113.7', port: 4_433 } },
      { family: 4, askedPort: books[1].address.port, seen: { host: '203.0.113.7', port: 4_434 } },
    ]);
    expect(told).toEqual(sightings);
    expect(seenAddresses([...sightings, ...sightings])).toEqual(['203.0.113.7:4433', '203.0.113.7:4434']);
  });

  test('believes no answer that does not carry the nonce of a question', async () => {
    const port = openPort();
    const books = [await openRawSocket(), await openRawSocket()] as const;
    const forger = await openRawSocket();
    const told: Sighting[] = [];
    const ending = new AbortController();
    const discovering = askBook(port, books, {
      onSighting: (sighting) => told.push(sighting),
      signal: ending.signal,
    });
    const { bytes } = await books[0].next();
    for (let count = 0; count < 100; count += 1) {
      const nonce = count === 0 ? new Uint8Array(DISCOVERY_NONCE_BYTES) : randomBytes(DISCOVERY_NONCE_BYTES);
      forger.send(encodeDiscoveryAnswer({ nonce, ...seenAt(666) }), addressOf(port));
    }
    const almost = Uint8Array.from(nonceIn(bytes), (byte, at) => (at === 15 ? byte ^ 1 : byte));
    books[0].send(encodeDiscoveryAnswer({ nonce: almost, ...seenAt(666) }), addressOf(port));
    await dealtWith(port);
    expect(told).toEqual([]);
    ending.abort();
    expect(await discovering).toEqual([]);
  });

  test('asks again while nothing answers, and ends with nothing in its time', async () => {
    const port = openPort();
    const books = [await openRawSocket(), await openRawSocket()] as const;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const discovering = askBook(port, books, { timeoutMs: 900 });
      const first = await books[0].next();
      vi.advanceTimersByTime(300);
      const second = await books[0].next();
      expect(second.bytes).toEqual(first.bytes);
      vi.advanceTimersByTime(600);
      expect((await books[0].next()).bytes).toEqual(first.bytes);
      expect(await discovering).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });

  test('of a name that does not exist, and of a family that the port lacks, finds nothing at once', async () => {
    const port = openPort();
    expect(await askBook(port, [], { host: 'nowhere.invalid' })).toEqual([]);
    expect(await askBook(port, [], { host: '[::1]' })).toEqual([]);
    expect(await askBook(port, [], { signal: AbortSignal.abort() })).toEqual([]);
  });

  test('names IPv6 addresses as the system does', async () => {
    const port = openPort();
    const books = [await openRawSocket(), await openRawSocket()] as const;
    const discovering = askBook(port, books);
    for (const book of books) {
      const { bytes, from } = await book.next();
      const address = bytesOfHex('20010db8000000000000000000000007');
      book.send(encodeDiscoveryAnswer({ nonce: nonceIn(bytes), address, port: 4_433 }), from);
    }
    expect(seenAddresses(await discovering)).toEqual(['[2001:db8::7]:4433']);
  });
});
