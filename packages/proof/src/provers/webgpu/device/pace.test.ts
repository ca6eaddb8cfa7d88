import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPace } from './pace.ts';

describe('createPace', () => {
  it('begins small, grows step by step, and shrinks at once', () => {
    const pace = createPace();
    expect(pace.allowed('x')).toBe(8);
    pace.learn('x', 8, 1);
    expect(pace.allowed('x')).toBe(64);
    pace.learn('x', 64, 400);
    expect(pace.allowed('x')).toBe(16);
    expect(pace.allowed('y')).toBe(8);
  });

  it('learns nothing from submissions that were small for other reasons', () => {
    const pace = createPace();
    pace.learn('x', 8, 1);
    pace.learn('x', 2, 50);
    expect(pace.allowed('x')).toBe(64);
  });

  it('finds what fits into its time on a device of any constant speed', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 300, noNaN: true }), (groupMs) => {
        const pace = createPace();
        for (let round = 0; round < 20; round++) {
          const groups = pace.allowed('x');
          pace.learn('x', groups, groups * groupMs);
        }
        const groups = pace.allowed('x');
        expect(groups === 1 || groups * groupMs <= 110).toBe(true);
        expect(groups * groupMs >= 40 || groups >= 1e6 || groupMs * 8 > 40).toBe(true);
      }),
    );
  });
});
