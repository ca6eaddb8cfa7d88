import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nobleHash } from './noble.ts';
import { parameterSets } from './parameters.ts';
import { codeAt, inputRow, packRow, rowKey, unpackRow } from './values.ts';

const rows = fc
  .uint8Array({ minLength: 32, maxLength: 256 })
  .map((bytes) => bytes.slice(0, bytes.length - (bytes.length % 32)));

describe('packed rows', () => {
  it('are the same after unpacking and packing, whatever their bytes', () => {
    fc.assert(
      fc.property(rows, (packed) => {
        expect(packRow(unpackRow(packed))).toEqual(packed);
      }),
    );
  });

  it('hold values of -8 to 7, and codeAt reads each of them', () => {
    fc.assert(
      fc.property(rows, (packed) => {
        const values = unpackRow(packed);
        for (const [index, value] of values.entries()) {
          expect(value).toBeGreaterThanOrEqual(-8);
          expect(value).toBeLessThanOrEqual(7);
          expect(codeAt(packed, index)).toBe(value + 8);
        }
      }),
    );
  });

  it('hold value i of a group in the low and value i + 32 in the high half of byte i', () => {
    const values = new Int8Array(128);
    values[64 + 3] = -5;
    values[64 + 32 + 3] = 6;
    const packed = packRow(values);
    expect([...packed.entries()].filter(([, byte]) => byte !== 0x88)).toEqual([[32 + 3, ((6 + 8) << 4) | 3]]);
  });
});

describe('inputs of rows', () => {
  const seed = nobleHash(Uint8Array.of(7));
  const { development } = parameterSets;

  it('differ between rows, passes and phases', () => {
    const inputs = [0, 1, 2, 31].map((row) => inputRow(nobleHash, development, seed, row).join());
    inputs.push(inputRow(nobleHash, development, nobleHash(seed), 0).join());
    expect(new Set(inputs).size).toBe(inputs.length);
  });

  it('have keys that differ, and are no part of the input', () => {
    const keys = Array.from({ length: 200 }, (_, row) => rowKey(nobleHash, development, seed, row));
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.every((key) => Number.isInteger(key) && key >= 0 && key < 2 ** 32)).toBe(true);
  });
});
