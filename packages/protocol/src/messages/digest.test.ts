import fc from 'fast-check';
import { type Address, getAddress, type Hex, hashTypedData } from 'viem';
import { describe, expect, it } from 'vitest';
import { hashFlatMessage, hashVoucherWords } from './digest.ts';
import { escrowDomain } from './domain.ts';
import { messageTypes } from './typed-data.ts';

const hex = (size: number) =>
  fc.uint8Array({ minLength: size, maxLength: size }).map((bytes): Hex => `0x${Buffer.from(bytes).toString('hex')}`);
const address = hex(20).map((value): Address => getAddress(value));
const uint = (bits: number) =>
  fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n }),
    fc.constantFrom(0n, 1n, 2n ** BigInt(bits) - 1n, 2n ** 63n),
  );
const time = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 ** 40 - 1 }), fc.constant(2 ** 40 - 1));
const domain = fc.record({ chainId: fc.integer({ min: 1, max: 2 ** 48 }), escrow: address });
const voucher = fc.integer({ min: 1, max: 128 }).chain((members) =>
  fc.record({
    leaseId: hex(32),
    units: fc.array(uint(96), { minLength: members, maxLength: members }),
    accrueFrom: fc.oneof(
      fc.constant(Array.from({ length: members }, () => 0)),
      fc.array(time, { minLength: members, maxLength: members }),
    ),
  }),
);

describe('the digest of a voucher', () => {
  it('is the one that viem gives, for 1 to 128 members', () => {
    fc.assert(
      fc.property(domain, voucher, (where, message) => {
        expect(hashVoucherWords(where, message)).toBe(
          hashTypedData({
            domain: escrowDomain(where),
            primaryType: 'Voucher',
            types: { Voucher: messageTypes.Voucher },
            message,
          }),
        );
      }),
    );
  });

  it('is the one that viem gives for each number of members', () => {
    const where = { chainId: 31_337, escrow: getAddress(`0x${'e5'.repeat(20)}`) };
    for (let members = 1; members <= 128; members += 1) {
      const message = {
        leaseId: `0x${'ab'.repeat(32)}` as const,
        units: Array.from({ length: members }, (_, index) => BigInt(index) ** 12n),
        accrueFrom: Array.from({ length: members }, () => 0),
      };
      for (const accrueFrom of [message.accrueFrom, message.accrueFrom.map((_, index) => index)]) {
        expect(hashVoucherWords(where, { ...message, accrueFrom })).toBe(
          hashTypedData({
            domain: escrowDomain(where),
            primaryType: 'Voucher',
            types: { Voucher: messageTypes.Voucher },
            message: { ...message, accrueFrom },
          }),
        );
      }
    }
  });

  it('is refused, never cut off, where a number does not fit', () => {
    const where = { chainId: 1, escrow: getAddress(`0x${'e5'.repeat(20)}`) };
    const good = { leaseId: `0x${'ab'.repeat(32)}` as const, units: [1n], accrueFrom: [0] };
    for (const bad of [
      { ...good, units: [2n ** 96n] },
      { ...good, units: [-1n] },
      { ...good, accrueFrom: [2 ** 40] },
      { ...good, accrueFrom: [-1] },
      { ...good, accrueFrom: [0.5] },
      { ...good, leaseId: '0xabcd' as const },
      { ...good, leaseId: `0x${'zz'.repeat(32)}` as const },
    ]) {
      expect(() => hashVoucherWords(where, bad)).toThrow(RangeError);
    }
  });
});

/** Any value of each field of a type, as messages hold it. */
function messageOf(type: 'Ask' | 'Close' | 'Hold' | 'Attach'): fc.Arbitrary<Record<string, Hex | bigint | number>> {
  const fields = messageTypes[type].map(({ name, type: kind }) => {
    const bits = Number(kind.slice(4));
    if (kind === 'address') return [name, address] as const;
    if (kind === 'bytes32') return [name, hex(32)] as const;
    return [name, bits <= 40 ? fc.integer({ min: 0, max: 2 ** bits - 1 }) : uint(bits)] as const;
  });
  return fc.record(Object.fromEntries(fields));
}

describe.each(['Ask', 'Close', 'Hold', 'Attach'] as const)('the digest of %s', (type) => {
  it('is the one that viem gives', () => {
    fc.assert(
      fc.property(domain, messageOf(type), (where, message) => {
        const types: Record<string, readonly { readonly name: string; readonly type: string }[]> = {
          [type]: messageTypes[type],
        };
        const expected = hashTypedData({ domain: escrowDomain(where), primaryType: type, types, message });
        expect(hashFlatMessage(where, type, message)).toBe(expected);
      }),
    );
  });

  it('is refused where a field is missing or of another kind', () => {
    const where = { chainId: 1, escrow: getAddress(`0x${'e5'.repeat(20)}`) };
    expect(() => hashFlatMessage(where, type, {})).toThrow(RangeError);
    const wrong = Object.fromEntries(
      messageTypes[type].map(({ name, type: kind }) => [name, kind === 'address' ? 1 : ('0x12' as const)]),
    );
    expect(() => hashFlatMessage(where, type, wrong)).toThrow(RangeError);
  });
});
