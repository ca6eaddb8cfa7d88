import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../spec/bytes.ts';
import { nobleHash } from '../spec/noble.ts';
import { type Parameters, parameterSets, rowBytes } from '../spec/parameters.ts';
import { accumulate, weights } from '../spec/step.ts';
import { unpackRow } from '../spec/values.ts';
import { loadKernel } from './load-kernel.ts';

const kernel = await loadKernel();
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

describe('hash', () => {
  test('is keccak-256 for every length from 0 to 400 bytes', () => {
    const source = Uint8Array.from({ length: 400 }, (_, index) => (index * 167 + 13) % 256);
    for (let length = 0; length <= 400; length++) {
      const message = source.subarray(0, length);
      expect(toHex(kernel.hash(message)), `${length} bytes`).toBe(toHex(nobleHash(message)));
    }
  });

  test('is keccak-256 for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_000 }), (message) => {
        expect(toHex(kernel.hash(message))).toBe(toHex(nobleHash(message)));
      }),
    );
  });

  test.each([54_399, 54_400, 54_401, 200_000])('is keccak-256 for %i bytes, which do not fit at once', (length) => {
    const message = Uint8Array.from({ length }, (_, index) => (index * 31) % 251);
    expect(toHex(kernel.hash(message))).toBe(toHex(nobleHash(message)));
  });

  test('gives bytes that a later call does not change', () => {
    const first = kernel.hash(new Uint8Array(3));
    const before = toHex(first);
    kernel.hash(new Uint8Array(4));
    expect(toHex(first)).toBe(before);
  });

  test('is not disturbed by another instance', async () => {
    const other = await loadKernel();
    const message = new Uint8Array(500).fill(7);
    expect(toHex(other.hash(message))).toBe(toHex(kernel.hash(message)));
  });
});

describe('accumulate', () => {
  const odd: Parameters = { ...parameterSets.development, width: 512, gates: 3, links: 3 };

  test.each([parameterSets.development, odd])('gives the sums of the specification at width $width', (parameters) => {
    const { width, gates } = parameters;
    fc.assert(
      fc.property(
        bytes(32),
        bytes(rowBytes(parameters)),
        fc.nat(65_535),
        fc.nat(width - 1),
        (session, packed, layer, output) => {
          const expected = Array.from({ length: gates }, (_, gate) =>
            accumulate(unpackRow(packed), weights(nobleHash, parameters, session, layer, gate, output)),
          );
          expect([...kernel.accumulate(parameters, session, layer, output, packed)]).toEqual(expected);
        },
      ),
      { numRuns: 20 },
    );
  });

  test('numbers its blocks beyond 32 bits', () => {
    const parameters = { ...parameterSets.production, links: 1 };
    const session = nobleHash(new Uint8Array());
    const packed = Uint8Array.from({ length: rowBytes(parameters) }, (_, index) => (index * 89) % 256);
    const sums = kernel.accumulate(parameters, session, 65_535, 2_047, packed);
    const column = weights(nobleHash, parameters, session, 65_535, 15, 2_047);
    expect(sums[15]).toBe(accumulate(unpackRow(packed), column));
  });

  test('refuses a session or a row of another length', () => {
    const { development } = parameterSets;
    expect(() => kernel.accumulate(development, new Uint8Array(31), 0, 0, new Uint8Array(128))).toThrow(RangeError);
    expect(() => kernel.accumulate(development, new Uint8Array(32), 0, 0, new Uint8Array(127))).toThrow(RangeError);
  });
});
