import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { confidenceOf } from './confidence.ts';

describe('the interval of a measured probability', () => {
  it.each([
    // The rule of three, exactly: 1 − 0.025^(1/n).
    { hits: 0, trials: 100, low: 0, high: 0.036217 },
    { hits: 10, trials: 10, low: 0.691503, high: 1 },
    // Agresti and Coull, The American Statistician 52 (1998), and any table of the binomial.
    { hits: 1, trials: 10, low: 0.002529, high: 0.445016 },
    { hits: 50, trials: 100, low: 0.398321, high: 0.601679 },
  ])('is that of the tables for $hits of $trials', ({ hits, trials, low, high }) => {
    const found = confidenceOf(hits, trials, 0.95);
    expect(found.low).toBeCloseTo(low, 5);
    expect(found.high).toBeCloseTo(high, 5);
  });

  it('holds what was measured, and grows with what is asked of it', () => {
    const counts = fc
      .integer({ min: 1, max: 100_000 })
      .chain((trials) => fc.tuple(fc.nat({ max: trials }), fc.constant(trials)));
    fc.assert(
      fc.property(counts, ([hits, trials]) => {
        const [narrow, wide] = [confidenceOf(hits, trials, 0.95), confidenceOf(hits, trials, 1 - 1e-9)];
        expect(narrow.low).toBeLessThanOrEqual(narrow.measured);
        expect(narrow.high).toBeGreaterThanOrEqual(narrow.measured);
        expect(wide.low).toBeLessThanOrEqual(narrow.low);
        expect(wide.high).toBeGreaterThanOrEqual(narrow.high);
      }),
      { numRuns: 50 },
    );
  });
});
