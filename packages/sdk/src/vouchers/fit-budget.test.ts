import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitBudget, promiseUp } from './fit-budget.ts';

const cents = (rate: bigint) => ({ rate: rate * 1_000_000_000n });

const lease = fc.integer({ min: 1, max: 12 }).chain((count) => {
  const each = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: count, maxLength: count });
  return fc.record({
    members: each(fc.record({ rate: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) })),
    before: each(fc.bigInt({ min: 0n, max: 10_000n })),
    more: each(fc.bigInt({ min: 0n, max: 2n ** 60n })),
    part: fc.integer({ min: 0, max: 1000 }),
  });
});

describe('fitBudget', () => {
  it('gives all that is wanted where the budget allows it', () => {
    expect(fitBudget([cents(1n), cents(2n)], [1n, 1n], [5n, 6n], 17n)).toEqual([5n, 6n]);
  });

  it('gives every member the same share of what comes on top where it does not', () => {
    expect(fitBudget([cents(1n), cents(1n)], [0n, 0n], [100n, 200n], 150n)).toEqual([50n, 100n]);
    expect(fitBudget([cents(1n), cents(1n)], [10n, 0n], [10n, 200n], 60n)).toEqual([10n, 50n]);
  });

  it('takes nothing back that was promised, also beyond the budget', () => {
    expect(fitBudget([cents(1n)], [100n], [200n], 50n)).toEqual([100n]);
  });

  it('is never above the budget, never below what was promised, and never far from what the budget allows', () => {
    fc.assert(
      fc.property(lease, ({ members, before, more, part }) => {
        const wanted = before.map((amount, index) => amount + more[index]!);
        const least = promiseUp(members, before);
        const budget = least + ((promiseUp(members, wanted) - least) * BigInt(part)) / 1000n;
        const units = fitBudget(members, before, wanted, budget);
        expect(promiseUp(members, units)).toBeLessThanOrEqual(budget);
        for (const [index, amount] of units.entries()) {
          expect(amount).toBeGreaterThanOrEqual(before[index]!);
          expect(amount).toBeLessThanOrEqual(wanted[index]!);
        }
        const oneMore = units.map((amount, index) => (amount < wanted[index]! ? amount + 1n : amount));
        const isWhole = units.every((amount, index) => amount === wanted[index]);
        expect(isWhole || promiseUp(members, oneMore) > budget).toBe(true);
      }),
    );
  });
});
