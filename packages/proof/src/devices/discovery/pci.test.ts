import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatPciAddress, normalizePciAddress, parsePciId, vendorOfPciId } from './pci.ts';

it('reads an address in each way of writing it', () => {
  for (const text of ['00000000:65:00.0', '0000:65:00.0', '65:00.0', '0000:65:00.0\n']) {
    expect(normalizePciAddress(text)).toBe('0000:65:00.0');
  }
  expect(normalizePciAddress('00010000:E5:1F.7')).toBe('10000:e5:1f.7');
});

it('reads back every address that it writes', () => {
  const numbers = fc.tuple(fc.nat(0xffff), fc.nat(0xff), fc.nat(0x1f), fc.nat(7));
  fc.assert(
    fc.property(numbers, ([domain, bus, device, fn]) => {
      const address = formatPciAddress(domain, bus, device, fn);
      expect(normalizePciAddress(address)).toBe(address);
      expect(normalizePciAddress(address.toUpperCase().padStart(16, '0'))).toBe(address);
    }),
  );
});

it('reads no address and no id out of other text', () => {
  for (const text of ['', 'virtio0', '65:00', '0000:65:00.8', 'GPU-1'])
    expect(normalizePciAddress(text)).toBeUndefined();
  for (const text of [undefined, '', '10de', '0x', '0x1234567', '0xzz']) expect(parsePciId(text)).toBeUndefined();
});

it('knows the vendors by their ids', () => {
  const ids = ['0x10de', '0x1002', '0x8086', '0x106b', '0x1a03'].map((text) => vendorOfPciId(parsePciId(text) ?? 0));
  expect(ids).toEqual(['nvidia', 'amd', 'intel', 'apple', 'other']);
});
