import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../spec/bytes.ts';
import { stateDigest } from '../spec/digests.ts';
import { nobleHash } from '../spec/noble.ts';
import { type Parameters, parameterSets, rowBytes } from '../spec/parameters.ts';
import { accumulate, requantise, weights } from '../spec/step.ts';
import { treeRoot } from '../spec/tree.ts';
import { inputRow, rowKey, unpackRow } from '../spec/values.ts';
import { compileKernel } from './compile-kernel.ts';
import { instantiateKernel } from './kernel-instance.ts';

const kernel = await instantiateKernel(await compileKernel());
kernel.memory.grow(16);
const memory = new Uint8Array(kernel.memory.buffer);
const heap = Math.ceil(kernel.heapBase() / 64) * 64;
const read = (at: number, length: number) => memory.slice(at, at + length);
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const ofWidth = (width: number): Parameters => ({ ...parameterSets.development, width });

describe.each([256, 512, 768, 1024, 2048])('rows of %i values', (width) => {
  const parameters = ofWidth(width);

  test('are drawn from their seed, with their key', () => {
    fc.assert(
      fc.property(bytes(32), fc.nat(0xffff_ffff), (seed, row) => {
        memory.set(seed, heap);
        const key = kernel.drawRow(heap, row, width, heap + 64);
        expect(toHex(read(heap + 64, rowBytes(parameters)))).toBe(toHex(inputRow(nobleHash, parameters, seed, row)));
        expect(key >>> 0).toBe(rowKey(nobleHash, parameters, seed, row));
      }),
      { numRuns: 10 },
    );
  });

  test('have the digest of the specification', () => {
    fc.assert(
      fc.property(bytes(rowBytes(parameters)), (packed) => {
        memory.set(packed, heap);
        kernel.digestRow(heap, width, heap + 2048);
        expect(toHex(read(heap + 2048, 32))).toBe(toHex(stateDigest(nobleHash, packed)));
      }),
      { numRuns: 10 },
    );
  });
});

test('the root of a tree over 1 to 40 digests is that of the specification', () => {
  for (let leaves = 1; leaves <= 40; leaves++) {
    const digests = Array.from({ length: leaves }, (_, leaf) => nobleHash(Uint8Array.of(leaves, leaf)));
    for (const [leaf, digest] of digests.entries()) memory.set(digest, heap + 32 * leaf);
    memory.fill(0xff, heap + 32 * leaves, heap + 32 * leaves + 64);
    kernel.treeRoot(heap, leaves);
    expect(toHex(read(heap, 32)), `${leaves} leaves`).toBe(toHex(treeRoot(nobleHash, digests)));
  }
});

describe('a step', () => {
  const [packedAt, keysAt, valuesAt, codesAt, weightsAt] = [
    heap,
    heap + 8192,
    heap + 9216,
    heap + 65_536,
    heap + 131_072,
  ];

  test.each([
    { width: 256, gates: 2, links: 1 },
    { width: 256, gates: 1, links: 1 },
    { width: 512, gates: 3, links: 2 },
    { width: 512, gates: 16, links: 1 },
  ])('gives the codes of the specification for 1 to 9 rows: %o', (shape) => {
    const parameters = { ...parameterSets.development, ...shape };
    const { width, gates, links } = shape;
    const half = rowBytes(parameters);
    const cases = fc.record({
      session: bytes(32),
      rows: fc.array(fc.record({ key: fc.nat(0xffff_ffff), packed: bytes(half) }), { minLength: 1, maxLength: 9 }),
      layer: fc.nat(65_535),
      firstUnit: fc.nat(half - 3),
    });
    fc.assert(
      fc.property(cases, ({ session, rows, layer, firstUnit }) => {
        const keys = new Uint32Array(rows.map(({ key }) => key));
        memory.set(session, codesAt);
        kernel.fillUnits(codesAt, layer, width, gates, links, firstUnit, 3, weightsAt);
        for (const [row, { packed }] of rows.entries()) memory.set(packed, packedAt + row * half);
        memory.set(new Uint8Array(keys.buffer), keysAt);
        kernel.unpackRows(packedAt, rows.length, width, valuesAt);
        kernel.multiplyUnits(valuesAt, keysAt, rows.length, width, gates, layer, firstUnit, 3, weightsAt, codesAt);
        const expected = rows.flatMap(({ key, packed }) => {
          const state = unpackRow(packed);
          const code = (output: number) =>
            requantise(key, layer, output, sumsOf(parameters, session, layer, output, state));
          return [0, 1, 2].map((unit) => {
            const output = firstOutput(firstUnit + unit);
            return code(output) | (code(output + 32) << 4);
          });
        });
        expect([...read(codesAt, 3 * rows.length)]).toEqual(expected);
      }),
      { numRuns: 6 },
    );
  });

  test('takes 128 rows at once, whatever their values', () => {
    const parameters = ofWidth(256);
    const { gates, links } = parameters;
    const session = nobleHash(new Uint8Array());
    const extremes = [0x00, 0xff, 0x0f, 0xf0];
    const packed = Uint8Array.from({ length: 128 * 128 }, (_, index) => extremes[Math.floor(index / 128) % 4] ?? index);
    memory.set(session, codesAt);
    kernel.fillUnits(codesAt, 1, 256, gates, links, 0, 1, weightsAt);
    memory.set(packed, weightsAt + 4096);
    memory.fill(0, keysAt, keysAt + 512);
    kernel.unpackRows(weightsAt + 4096, 128, 256, weightsAt + 65_536);
    kernel.multiplyUnits(weightsAt + 65_536, keysAt, 128, 256, gates, 1, 0, 1, weightsAt, codesAt);
    const codes = read(codesAt, 128);
    for (let row = 0; row < 128; row++) {
      const sums = sumsOf(parameters, session, 1, 0, unpackRow(packed.subarray(row * 128, row * 128 + 128)));
      expect((codes[row] ?? 0) & 15).toBe(requantise(0, 1, 0, sums));
    }
  });
});

function firstOutput(unit: number): number {
  return Math.floor(unit / 32) * 64 + (unit % 32);
}

function sumsOf(
  parameters: Parameters,
  session: Uint8Array,
  layer: number,
  output: number,
  state: Int8Array,
): number[] {
  return Array.from({ length: parameters.gates }, (_, gate) =>
    accumulate(state, weights(nobleHash, parameters, session, layer, gate, output)),
  );
}
