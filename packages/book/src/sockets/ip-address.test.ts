import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ipBytes, ipPlace, ipText } from './ip-address.ts';

/** As another implementation writes it: the shortest form. */
const shortest = (address: string) => new URL(`http://[${address}]`).hostname.slice(1, -1);

describe('ipBytes', () => {
  it('reads IPv6 addresses as others do, in every way in which they are written', () => {
    fc.assert(
      fc.property(
        fc.ipV6().filter((address) => !shortest(address).startsWith('::ffff:')),
        (address) => {
          const bytes = ipBytes(address);
          expect(bytes).toHaveLength(16);
          const groups = Array.from({ length: 8 }, (_, at) =>
            ((bytes![2 * at]! << 8) | bytes![2 * at + 1]!).toString(16),
          );
          expect(shortest(groups.join(':'))).toBe(shortest(address));
        },
      ),
    );
  });

  it('reads IPv4 addresses, mapped into IPv6 or not', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const bytes = Uint8Array.from(address.split('.'), Number);
        expect(ipBytes(address)).toEqual(bytes);
        expect(ipBytes(`::ffff:${address}`)).toEqual(bytes);
        expect(ipBytes(shortest(`::ffff:${address}`))).toEqual(bytes);
        expect(ipText(`::ffff:${address}`)).toBe(address);
      }),
    );
  });

  it('takes nothing else, whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(ipBytes(`g${text}`)).toBeUndefined();
      }),
    );
    expect(['', '1.2.3', '1.2.3.4.5', ':::', '1:2', 'localhost'].map(ipBytes)).toEqual(Array(6).fill(undefined));
  });

  it('leaves out the zone of an address of the local network', () => {
    expect(ipBytes('fe80::1%eth0')).toEqual(ipBytes('fe80::1'));
    expect(ipText('fe80::1%eth0')).toBe('fe80::1');
  });
});

describe('ipPlace', () => {
  it('is one for all addresses that begin with the same 64 bits, and another for others', () => {
    expect(ipPlace('2001:db8:1:2::1')).toBe(ipPlace('2001:db8:1:2:ffff:ffff:ffff:ffff'));
    expect(ipPlace('2001:db8:1:2::1')).not.toBe(ipPlace('2001:db8:1:3::1'));
  });

  it('is the address for IPv4', () => {
    expect(ipPlace('::ffff:192.0.2.1')).toBe(ipPlace('192.0.2.1'));
    expect(ipPlace('192.0.2.1')).not.toBe(ipPlace('192.0.2.2'));
  });
});
