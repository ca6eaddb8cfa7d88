import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nobleHash } from './noble.ts';
import { parameterSets } from './parameters.ts';
import { accumulate, requantise, weights } from './step.ts';

const { production, development } = parameterSets;
const value = fc.integer({ min: -8, max: 7 });
const weight = fc.integer({ min: -128, max: 127 });
const products = fc.array(fc.tuple(value, weight), { minLength: production.width, maxLength: production.width });

/** bfloat16 of a number, rounded to nearest even, as a number. */
function toBfloat16(x: number): number {
  const bits = new Uint32Array(Float32Array.of(x).buffer)[0] ?? 0;
  return new Float32Array(Uint32Array.of((bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000).buffer)[0] ?? Number.NaN;
}

describe('sums of products', () => {
  it('are exact in binary32, in any order, with operands in bfloat16', () => {
    fc.assert(
      fc.property(products, fc.infiniteStream(fc.nat()), (pairs, order) => {
        const exact = pairs.reduce((sum, [a, b]) => sum + a * b, 0);
        const shuffled = pairs
          .map((pair) => ({ pair, at: order.next().value }))
          .sort((a, b) => a.at - b.at)
          .map(({ pair }) => pair);
        const sums = new Float32Array(7);
        for (const [index, [a, b]] of shuffled.entries()) {
          const slot = index % sums.length;
          sums[slot] = Math.fround((sums[slot] ?? 0) + Math.fround(toBfloat16(a) * toBfloat16(b)));
        }
        expect(sums.reduce((sum, part) => Math.fround(sum + part), 0)).toBe(exact);
        expect(
          accumulate(
            Int8Array.from(pairs, ([a]) => a),
            Int8Array.from(pairs, ([, b]) => b),
          ),
        ).toBe(exact);
      }),
      { numRuns: 20 },
    );
  });

  it('stay within the 2^21 that every accumulator holds, at the extremes too', () => {
    for (const set of Object.values(parameterSets)) {
      const extreme = accumulate(new Int8Array(set.width).fill(-8), new Int8Array(set.width).fill(-128));
      expect(extreme).toBeLessThanOrEqual(2 ** 21);
    }
  });
});

describe('weights', () => {
  it('take all of their range, and differ between layers, gates, outputs and sessions', () => {
    const session = nobleHash(Uint8Array.of(1));
    const column = weights(nobleHash, production, session, 3, 15, 2047);
    expect(Math.min(...column)).toBe(-128);
    expect(Math.max(...column)).toBe(127);
    const others = [
      weights(nobleHash, production, session, 4, 15, 2047),
      weights(nobleHash, production, session, 3, 14, 2047),
      weights(nobleHash, production, session, 3, 15, 2046),
      weights(nobleHash, production, nobleHash(session), 3, 15, 2047),
    ];
    for (const other of others) expect([...other.slice(0, 32)]).not.toEqual([...column.slice(0, 32)]);
  });
});

describe('the requantiser', () => {
  const sums = fc.array(fc.integer({ min: -(2 ** 21), max: 2 ** 21 }), { minLength: 16, maxLength: 16 });
  const key = fc.nat({ max: 2 ** 32 - 1 });

  it('gives a code of 0 to 15', () => {
    fc.assert(
      fc.property(key, fc.nat({ max: 65_535 }), fc.nat({ max: 2047 }), sums, (...args) => {
        const code = requantise(...args);
        expect(Number.isInteger(code) && code >= 0 && code <= 15).toBe(true);
      }),
    );
  });

  it('gives every code about equally often, and an unrelated one for a sum that is off by one', () => {
    const counts = new Array<number>(16).fill(0);
    let same = 0;
    const trials = 20_000;
    let state = 1;
    const draw = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state;
    };
    for (let trial = 0; trial < trials; trial++) {
      const own = Array.from({ length: 16 }, () => (draw() >>> 10) - 2 ** 21);
      const [rowKey, layer, output] = [draw(), draw() >>> 16, draw() >>> 21];
      const code = requantise(rowKey, layer, output, own);
      counts[code] = (counts[code] ?? 0) + 1;
      const gate = draw() % 16;
      const off = own.map((sum, index) => (index === gate ? sum + 1 : sum));
      if (requantise(rowKey, layer, output, off) === code) same += 1;
    }
    // Six standard deviations of a binomial with p = 1/16.
    const spread = 6 * Math.sqrt(trials * (1 / 16) * (15 / 16));
    for (const count of [...counts, same]) expect(Math.abs(count - trials / 16)).toBeLessThan(spread);
  });

  it('parts rows that were made equal, by their keys alone', () => {
    const session = nobleHash(Uint8Array.of(2));
    const state = new Int8Array(development.width).fill(3);
    const outputs = (rowKey: number) =>
      Array.from({ length: 64 }, (_, output) => {
        const own = [0, 1].map((gate) => accumulate(state, weights(nobleHash, development, session, 0, gate, output)));
        return requantise(rowKey, 0, output, own);
      });
    const rows = [0x1111_1111, 0x1111_1110, 0x9111_1111, 0].map(outputs);
    for (const [a, row] of rows.entries()) {
      for (const other of rows.slice(a + 1)) {
        // Of 64 independent codes four agree by chance; 24 or more agree once in 10^12 tries.
        expect(row.filter((code, index) => code === other[index]).length).toBeLessThan(24);
      }
    }
  });
});
