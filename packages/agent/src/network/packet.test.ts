import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mayBeLost, readHeader, toAddressNumber } from './packet.ts';
import { packetOf } from './packets.fixture.ts';

const ends = { source: '100.84.0.1', destination: '100.84.1.2' };

test('reads length and addresses of a packet, wherever it begins', () => {
  const bytes = Buffer.concat([Buffer.alloc(7, 0xff), packetOf({ ...ends, totalBytes: 65_535 })]);
  expect(readHeader(bytes, 7)).toEqual({
    totalBytes: 65_535,
    source: toAddressNumber('100.84.0.1'),
    destination: toAddressNumber('100.84.1.2'),
  });
});

test('takes an address for the number that it is in a packet', () => {
  expect(toAddressNumber('255.255.255.255')).toBe(0xffff_ffff);
  expect(toAddressNumber('100.84.0.1')).toBe(0x6454_0001);
});

test('reads nothing that says it is longer than it is, shorter than its header, or of another version', () => {
  const cut = packetOf(ends).subarray(0, 59);
  const short = packetOf(ends);
  short.writeUInt16BE(19, 2);
  const noHeader = packetOf(ends);
  noHeader[0] = 0x44;
  const six = packetOf(ends);
  six[0] = 0x65;
  for (const bytes of [cut, short, noHeader, six, Buffer.alloc(0), Buffer.alloc(19, 0x45)]) {
    expect(readHeader(bytes)).toBeUndefined();
  }
});

test('never reads past the end of what came, whatever that is', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(220), (bytes, offset) => {
      const header = readHeader(bytes, offset);
      if (header !== undefined) expect(offset + header.totalBytes).toBeLessThanOrEqual(bytes.byteLength);
    }),
  );
});

test('lets UDP, ICMP and bare acknowledgements of TCP be lost, and nothing that TCP counts on', () => {
  const tcp = (flags: number, totalBytes = 40) => mayBeLost(packetOf({ ...ends, protocol: 6, flags, totalBytes }));
  const [ack, syn, fin, rst, push] = [0x10, 0x02, 0x01, 0x04, 0x08];
  expect(mayBeLost(packetOf(ends))).toBe(true);
  expect(mayBeLost(packetOf({ ...ends, protocol: 1 }))).toBe(true);
  expect(tcp(ack)).toBe(true);
  expect([tcp(syn), tcp(syn | ack), tcp(fin | ack), tcp(rst | ack), tcp(push | ack, 41), tcp(0)]).not.toContain(true);
  expect(mayBeLost(packetOf({ ...ends, protocol: 132 }))).toBe(false);
});
