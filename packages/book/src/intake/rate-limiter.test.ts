import { createManualClock } from '@latent/kit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRateLimiter } from './rate-limiter.ts';

function isAdmitted(admit: () => void): boolean {
  try {
    admit();
    return true;
  } catch {
    return false;
  }
}

describe('createRateLimiter', () => {
  it('never admits more than a burst and the rate since, however messages come', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 200 }),
        async (perMinute, gapsMs) => {
          const clock = createManualClock();
          const limiter = createRateLimiter(perMinute, clock);
          let admitted = 0;
          for (const gapMs of gapsMs) {
            if (gapMs > 0) await clock.advance(gapMs);
            if (isAdmitted(() => limiter.admit('a'))) admitted += 1;
          }
          expect(admitted).toBeLessThanOrEqual(perMinute + (clock.nowMs() * perMinute) / 60_000);
          expect(admitted).toBeGreaterThanOrEqual(Math.min(perMinute, gapsMs.length));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('lets no sender use up what is another’s', () => {
    const limiter = createRateLimiter(1, createManualClock());
    limiter.admit('a');
    expect(() => limiter.admit('a')).toThrow(expect.objectContaining({ code: 'BOOK_RATE_LIMITED', retry: 'later' }));
    expect(isAdmitted(() => limiter.admit('b'))).toBe(true);
  });

  it('gives nothing away when the machine’s clock is set back', () => {
    let nowMs = 1_000_000;
    const limiter = createRateLimiter(1, { nowMs: () => nowMs, sleep: async () => undefined });
    limiter.admit('a');
    nowMs = 0;
    expect(isAdmitted(() => limiter.admit('a'))).toBe(false);
    nowMs = 60_000;
    expect(isAdmitted(() => limiter.admit('a'))).toBe(true);
  });
});
