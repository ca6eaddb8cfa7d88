import fc from 'fast-check';
import { expect, test } from 'vitest';
import { percentile, spread } from './percentile.ts';

const measured = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1, maxLength: 50 });
const percents = fc.integer({ min: 1, max: 100 });

test('a percentile is a measured value that so many do not exceed, and the smallest such', () => {
  fc.assert(
    fc.property(measured, percents, (values, percent) => {
      const found = percentile(values, percent) ?? Number.NaN;
      const share = (limit: (value: number) => boolean) => (100 * values.filter(limit).length) / values.length;
      expect(values).toContain(found);
      expect(share((value) => value <= found)).toBeGreaterThanOrEqual(percent - 1e-9);
      expect(share((value) => value < found)).toBeLessThan(percent);
    }),
  );
});

test('the spread of twenty values is their 10th, 19th, first and last', () => {
  const values = Array.from({ length: 20 }, (_, index) => 20 - index);
  expect(spread(values)).toEqual([10, 19, 1, 20]);
});

test('nothing measured is null, not zero', () => {
  expect(spread([])).toEqual([null, null, null, null]);
});
