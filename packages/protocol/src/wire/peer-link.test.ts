import fc from 'fast-check';
import { getAddress } from 'viem';
import { describe, expect, test } from 'vitest';
import {
  type BookLinkMessage,
  bookLinkMessageSchema,
  FIRST_BOOK_CHANNEL,
  linkHelloText,
  MAX_ADDRESSES,
  MAX_LINK_MESSAGE_BYTES,
  type PeerLinkMessage,
  peerLinkMessageSchema,
  udpAddressSchema,
} from './peer-link.ts';

const KEY = `0x${'ab'.repeat(32)}`;
const TOKEN = 'cd'.repeat(16);
const ADDRESSES = ['203.0.113.7:4433', '[2001:db8::7]:4433'];
const MEETING = { addresses: ADDRESSES, streamId: 7 };

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((all) => Buffer.from(all).toString('hex'));
const port = fc.integer({ min: 1, max: 65_535 });
const address = fc
  .tuple(
    fc.oneof(
      fc.ipV4(),
      fc.ipV6().map((host) => `[${host.toLowerCase()}]`),
    ),
    port,
  )
  .map(([host, number]) => `${host}:${number}`);
const meeting = {
  addresses: fc.array(address, { maxLength: MAX_ADDRESSES }),
  streamId: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
};
const channel = fc.integer({ min: 1, max: 2 ** 32 - 1 });
const key = hex(32).map((text) => `0x${text}`);
const text = (maxLength: number) => fc.string({ maxLength });
const ofBooks = fc.oneof(
  fc.record(
    {
      kind: fc.constant('challenge'),
      challenge: key,
      discovery: fc.record({ host: text(253), ports: fc.tuple(port, port) }, { requiredKeys: ['ports'] }),
    },
    { requiredKeys: ['kind', 'challenge'] },
  ),
  fc.record({ kind: fc.constant('welcome'), observed: text(64), freeRelayBytes: fc.nat() }),
  fc.record({ kind: fc.constant('introduction'), channel, from: key, token: hex(16), ...meeting }),
  fc.record({ kind: fc.constant('answer'), channel, ...meeting }),
  fc.record({ kind: fc.constant('closed'), channel, code: text(64), message: text(500) }),
  fc.record({ kind: fc.constant('refused'), code: text(64), message: text(500) }),
);
const units = fc.bigInt({ min: 0n, max: 2n ** 96n - 1n });
const signature = hex(65).map((one) => `0x${one}` as const);
const paymentsOfBooks = fc.oneof(
  fc.record({ kind: fc.constant('allowance'), freeRelayBytes: fc.nat() }),
  fc.record({ kind: fc.constant('relayed'), leaseId: key, usedBytes: fc.maxSafeNat(), coveredUnits: units }),
  fc.record({ kind: fc.constant('unpaid'), leaseId: key, code: text(64), message: text(500) }),
  fc.record({
    kind: fc.constant('claimed'),
    claim: fc.record({ leaseId: key, member: fc.integer({ min: 0, max: 127 }), units, signature }),
  }),
);
const account = hex(20).map((one) => getAddress(`0x${one}`));
const seconds = fc.integer({ min: 1, max: 2 ** 40 - 1 });
const paymentsOfPeers = fc.oneof(
  fc.record({
    kind: fc.constant('pay'),
    terms: fc.record({
      order: fc.record({
        ...{ renter: account, session: account, meterKey: account, deposit: units, maxSeconds: seconds },
        ...{ closeWindow: fc.nat(), prepay: fc.nat(60), maxFeeBps: fc.nat(10_000), openBy: seconds, workload: key },
        salt: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
      }),
      members: fc.array(
        fc.record({
          ...{ ask: key, operator: account, agentKey: account, devices: fc.integer({ min: 1, max: 1_024 }) },
          rate: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        }),
        { minLength: 1, maxLength: 1 },
      ),
    }),
    signature,
    voucher: fc.record({ leaseId: key, units: fc.tuple(units), accrueFrom: fc.tuple(fc.nat()), signature }),
  }),
  fc.record({ kind: fc.constant('claim'), leaseId: key }),
);
const ownChannel = fc.integer({ min: 1, max: FIRST_BOOK_CHANNEL - 1 });
const ofPeers = fc.oneof(
  fc.record({ kind: fc.constant('hello'), key, signature: hex(64).map((one) => `0x${one}`), accepts: fc.boolean() }),
  fc.record({ kind: fc.constant('introduce'), channel: ownChannel, to: key, token: hex(16), ...meeting }),
  fc.record({ kind: fc.constant('answer'), channel, ...meeting }),
  fc.record({ kind: fc.constant('close'), channel }),
);

const sides = [
  ['books', bookLinkMessageSchema, ofBooks],
  ['peers', peerLinkMessageSchema, ofPeers],
] as const;

describe.each(sides)('messages of %s', (_name, schema, messages) => {
  test('come through JSON as they were', () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(schema.parse(JSON.parse(JSON.stringify(message)))).toEqual(message);
      }),
    );
  });

  test('that lack a field, or have one of another type, are refused', () => {
    const others = [null, [], {}, -1, 1.5, 2 ** 40, '', 'x'.repeat(600), true];
    fc.assert(
      fc.property(messages, fc.nat(), fc.constantFrom(undefined, ...others), (message, pick, other) => {
        const names = Object.keys(message).filter((name) => name !== 'discovery');
        const name = names[pick % names.length] ?? 'kind';
        const altered: Record<string, unknown> = { ...message, [name]: other };
        const read = schema.safeParse(altered);
        // What is let through has the same shape still.
        if (read.success) expect(Object.keys(read.data)).toEqual(expect.arrayContaining(names));
        else expect(read.success).toBe(false);
        if (other === undefined || other === null) expect(read.success).toBe(false);
      }),
    );
  });

  test('are never read out of any other JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(schema.safeParse(value).success).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  test('that are as long as they can be fit the longest message of a link', () => {
    const longest = { addresses: Array.from({ length: MAX_ADDRESSES }, () => 'x'.repeat(56)), streamId: 2 ** 32 - 1 };
    const ids = { channel: 2 ** 32 - 1, from: KEY, to: KEY, token: TOKEN, key: KEY, signature: `0x${'0'.repeat(128)}` };
    // A text of 500 characters takes six bytes for each when it is written in escapes.
    const words = { code: '\u0001'.repeat(64), message: '\u0001'.repeat(500), host: '\u0001'.repeat(253) };
    expect(JSON.stringify({ kind: 'introduction', ...longest, ...ids, ...words }).length).toBeLessThan(
      MAX_LINK_MESSAGE_BYTES,
    );
  });
});

describe.each([
  ['books', bookLinkMessageSchema, paymentsOfBooks],
  ['peers', peerLinkMessageSchema, paymentsOfPeers],
] as const)('words of %s on payment', (_name, schema, messages) => {
  const toJson = (value: unknown) =>
    JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? one.toString() : one));

  test('come through JSON as they were, with amounts as decimals, and fit a message of a link', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const json = toJson(message);
        expect(schema.parse(JSON.parse(json))).toEqual(message);
        expect(json.length).toBeLessThan(MAX_LINK_MESSAGE_BYTES);
      }),
    );
  });

  test('that lack a field are refused', () => {
    fc.assert(
      fc.property(messages, fc.nat(), (message, pick) => {
        const names = Object.keys(message);
        const left = names.filter((name) => name !== names[pick % names.length]);
        const altered = Object.fromEntries(Object.entries(message).filter(([name]) => left.includes(name)));
        expect(schema.safeParse(JSON.parse(toJson(altered))).success).toBe(false);
      }),
    );
  });
});

describe('bounds', () => {
  const introduction = { kind: 'introduction', channel: FIRST_BOOK_CHANNEL, from: KEY, token: TOKEN, ...MEETING };
  const introduce = { kind: 'introduce', channel: 1, to: KEY, token: TOKEN, ...MEETING };

  test.each([
    ['a channel 0', { channel: 0 }],
    ['a channel of the book', { channel: FIRST_BOOK_CHANNEL }],
    ['half a channel', { channel: 1.5 }],
    ['a channel as text', { channel: '1' }],
    ['a stream 0', { streamId: 0 }],
    ['a stream of 33 bits', { streamId: 2 ** 32 }],
    ['too many addresses', { addresses: Array.from({ length: MAX_ADDRESSES + 1 }, () => ADDRESSES[0]) }],
    ['a host name for an address', { addresses: ['example.org:4433'] }],
    ['an address without a port', { addresses: ['203.0.113.7'] }],
    ['an address with a zone', { addresses: ['[fe80::1%eth0]:4433'] }],
    ['a long address', { addresses: [`[${'0'.repeat(60)}]:4433`] }],
    ['a short token', { token: 'cd' }],
    ['a token in capitals', { token: TOKEN.toUpperCase() }],
    ['a short key', { to: '0xab' }],
  ])('an introduction that names %s is refused', (_name, altered) => {
    expect(peerLinkMessageSchema.safeParse(introduce).success).toBe(true);
    expect(peerLinkMessageSchema.safeParse({ ...introduce, ...altered }).success).toBe(false);
  });

  test('a book numbers channels over the whole range, a peer the lower half', () => {
    expect(bookLinkMessageSchema.safeParse({ ...introduction, channel: 2 ** 32 - 1 }).success).toBe(true);
    expect(bookLinkMessageSchema.safeParse({ ...introduction, channel: 2 ** 32 }).success).toBe(false);
    expect(peerLinkMessageSchema.safeParse({ ...introduce, channel: FIRST_BOOK_CHANNEL - 1 }).success).toBe(true);
    expect(peerLinkMessageSchema.safeParse({ kind: 'close', channel: 2 ** 32 - 1 }).success).toBe(true);
  });

  test('what one side says is none of the other', () => {
    const book: BookLinkMessage = { kind: 'closed', channel: 1, code: 'PEER_ABSENT', message: 'gone' };
    const peer: PeerLinkMessage = { kind: 'close', channel: 1 };
    expect(peerLinkMessageSchema.safeParse(book).success).toBe(false);
    expect(bookLinkMessageSchema.safeParse(peer).success).toBe(false);
  });

  test('words of books are bounded', () => {
    const closed = { kind: 'closed', channel: 1, code: 'C'.repeat(64), message: 'm'.repeat(500) };
    expect(bookLinkMessageSchema.safeParse(closed).success).toBe(true);
    expect(bookLinkMessageSchema.safeParse({ ...closed, code: 'C'.repeat(65) }).success).toBe(false);
    expect(bookLinkMessageSchema.safeParse({ ...closed, message: 'm'.repeat(501) }).success).toBe(false);
    const welcome = { kind: 'welcome', observed: '203.0.113.7', freeRelayBytes: 0 };
    expect(bookLinkMessageSchema.safeParse({ ...welcome, freeRelayBytes: -1 }).success).toBe(false);
    expect(bookLinkMessageSchema.safeParse({ ...welcome, observed: 'x'.repeat(65) }).success).toBe(false);
  });

  test('addresses are told from other text in time that grows with their length alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789abcdef:.[]'), maxLength: 200 }), (candidate) => {
        if (udpAddressSchema.safeParse(candidate).success) expect(candidate.length).toBeLessThanOrEqual(56);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('what a peer signs', () => {
  test('names the purpose, the origin of the book, the challenge and the key', () => {
    expect(linkHelloText('https://book.example/some/path?x=1#y', '0x11', '0x22')).toBe(
      'latent peer link 1\nhttps://book.example\n0x11\n0x22',
    );
  });

  test.each([
    ['https://book.example', 'http://book.example'],
    ['https://book.example', 'https://book.example.evil'],
    ['https://book.example', 'https://book.example:444'],
    ['http://127.0.0.1:1', 'http://127.0.0.1:2'],
  ])('for %s is worth nothing at %s', (one, other) => {
    expect(linkHelloText(one, '0x11', '0x22')).not.toBe(linkHelloText(other, '0x11', '0x22'));
  });

  test('is the same however its book is written', () => {
    expect(linkHelloText('HTTPS://Book.Example:443/', '0x11', '0x22')).toBe(
      linkHelloText('https://book.example', '0x11', '0x22'),
    );
  });
});
