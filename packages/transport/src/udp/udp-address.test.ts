import { BlockList, isIP, isIPv6, SocketAddress } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatUdpAddress, hostOfBytes, parseUdpAddress } from './udp-address.ts';

const port = fc.integer({ min: 1, max: 65_535 });
const ipv4 = fc.ipV4().filter((host) => {
  const first = Number(host.split('.')[0]);
  return first > 0 && first < 224;
});

describe('UDP addresses', () => {
  test('are read as they were written', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, fc.ipV6()), port, (host, number) => {
        const address = { host: host.toLowerCase(), port: number };
        const isOneHost = !/^ff|^[0:]*$/.test(address.host);
        expect(parseUdpAddress(formatUdpAddress(address))).toEqual(isOneHost ? address : undefined);
      }),
    );
  });

  test.each([
    '203.0.113.7',
    '203.0.113.7:0',
    '203.0.113.7:65536',
    '203.0.113.7:04433',
    '203.0.113.7:4433 ',
    ' 203.0.113.7:4433',
    '203.0.113.7:4433x',
    '203.0.113:4433',
    '203.0.113.256:4433',
    '203.0.113.007:4433',
    '2001:db8::7:4433',
    '[2001:db8::7]',
    '[2001:db8::7]:',
    '[2001:db8::7%eth0]:4433',
    '[203.0.113.7]:4433:1',
    '[::g]:4433',
    '[1::2::3]:4433',
    'example.org:4433',
    'localhost:4433',
    '0x7f.0.0.1:4433',
    '２０３.0.113.7:4433',
    '',
    ':4433',
    '[]:4433',
  ])('%j is none', (text) => {
    expect(parseUdpAddress(text)).toBeUndefined();
  });

  test.each([
    ['this host', '0.0.0.0:9'],
    ['many at once', '224.0.0.1:9'],
    ['all on a network', '255.255.255.255:9'],
    ['reserved', '240.0.0.1:9'],
    ['this host', '[::]:9'],
    ['this host, written long', '[0:0:0:0:0:0:0:0]:9'],
    ['many at once', '[ff02::1]:9'],
  ])('one that stands for %s is not taken from strangers: %s', (_name, text) => {
    expect(parseUdpAddress(text)).toBeUndefined();
  });

  test('any text is refused or is an IP address and a port', () => {
    const nearly = fc
      .tuple(
        fc.constantFrom('', '[', '[['),
        fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()),
        fc.constantFrom('', ']', ']]'),
        fc.constantFrom(':', '::', ''),
        fc.oneof(fc.nat(99_999).map(String), fc.string({ maxLength: 6 })),
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(nearly, fc.string({ maxLength: 200 })), (text) => {
        const read = parseUdpAddress(text);
        if (read === undefined) return;
        expect(isIP(read.host)).not.toBe(0);
        expect(read.port).toBeGreaterThan(0);
        expect(read.port).toBeLessThan(65_536);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the host of bytes', () => {
  test('is written as the system writes it', () => {
    expect(hostOfBytes(Uint8Array.of(203, 0, 113, 7))).toBe('203.0.113.7');
    const group = fc.oneof(fc.constant(0), fc.nat(0xffff));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const bytes = Uint8Array.from(groups.flatMap((value) => [value >> 8, value & 0xff]));
        const host = hostOfBytes(bytes);
        expect(isIPv6(host)).toBe(true);
        const long = groups.map((value) => value.toString(16)).join(':');
        const list = new BlockList();
        list.addAddress(long, 'ipv6');
        expect(list.check(host, 'ipv6')).toBe(true);
        expect(host).toBe(host.toLowerCase());
        expect(host.length).toBeLessThanOrEqual(long.length);
        // Node gives addresses in the system's own words.
        const { address } = new SocketAddress({ address: long, family: 'ipv6' });
        if (!address.includes('.')) expect(host).toBe(address);
      }),
    );
  });
});
