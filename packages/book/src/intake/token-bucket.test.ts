import { createManualClock } from '@latent/kit';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TokenBucket } from './token-bucket.ts';

const limits = fc.record({
  capacity: fc.integer({ min: 1, max: 1_000 }),
  perSecond: fc.integer({ min: 1, max: 10_000 }),
});

it('gives never more than its capacity and the rate since, however it is asked', async () => {
  const takings = fc.array(fc.tuple(fc.nat(500), fc.nat(2_000)), { maxLength: 100 });
  await fc.assert(
    fc.asyncProperty(limits, takings, async (given, asked) => {
      const clock = createManualClock();
      const bucket = new TokenBucket(given, clock);
      let taken = 0;
      for (const [amount, waitMs] of asked) {
        if (bucket.take(amount)) taken += amount;
        expect(taken).toBeLessThanOrEqual(given.capacity + (clock.nowMs() * given.perSecond) / 1_000 + 1e-6);
        if (waitMs > 0) await clock.advance(waitMs);
      }
    }),
    { numRuns: 50 },
  );
});

it('is out of debt when the time that it told has passed', async () => {
  await fc.assert(
    fc.asyncProperty(limits, fc.integer({ min: 0, max: 100_000 }), async (given, spent) => {
      const clock = createManualClock();
      const bucket = new TokenBucket(given, clock);
      bucket.spend(spent);
      const waitMs = bucket.msInDebt();
      expect(waitMs > 0).toBe(spent > given.capacity);
      if (waitMs === 0) return;
      await clock.advance(waitMs);
      expect(bucket.msInDebt()).toBe(0);
      // Not sooner than its rate makes up for what was spent.
      expect((waitMs * given.perSecond) / 1_000).toBeGreaterThanOrEqual(spent - given.capacity);
    }),
    { numRuns: 50 },
  );
});

it('gives nothing away when the machine’s clock is set back', () => {
  let nowMs = 1_000_000;
  const bucket = new TokenBucket({ capacity: 1, perSecond: 1 }, { nowMs: () => nowMs, sleep: async () => undefined });
  expect(bucket.take(1)).toBe(true);
  nowMs = 0;
  expect(bucket.take(1)).toBe(false);
  nowMs = 1_000;
  expect(bucket.take(1)).toBe(true);
});
