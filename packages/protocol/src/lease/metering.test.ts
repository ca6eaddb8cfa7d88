import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deliveredUnitsDown, feeBetween, type MemberClock, payableUnits } from './metering.ts';

const seconds = fc.integer({ min: 0, max: 2 ** 40 - 1 });
const units = fc.bigInt({ min: 0n, max: 2n ** 96n - 1n });
const clocks: fc.Arbitrary<MemberClock> = fc
  .record({
    devices: fc.integer({ min: 0, max: 0xffffffff }),
    openedAt: seconds,
    stopsAfter: fc.option(fc.integer({ min: 0, max: 100_000 })),
    maxSeconds: fc.oneof(seconds, fc.integer({ min: 1, max: 100_000 })),
    prepay: fc.integer({ min: 0, max: 0xffff }),
    accruesAfter: fc.integer({ min: -100_000, max: 100_000 }),
  })
  .map(({ stopsAfter, accruesAfter, ...clock }) => ({
    ...clock,
    stopAt: stopsAfter === null ? 0 : clock.openedAt + stopsAfter,
    accrueFrom: Math.max(0, clock.openedAt + accruesAfter),
  }));
const later = fc.integer({ min: 0, max: 200_000 });

describe('payableUnits', () => {
  it('never pays more than the voucher, nor faster than the clock with the prepaid seconds', () => {
    fc.assert(
      fc.property(units, clocks, later, (signed, clock, after) => {
        const paid = payableUnits(signed, clock, clock.openedAt + after);
        const elapsed = BigInt(Math.min(after + clock.prepay, clock.maxSeconds));
        return paid >= 0n && paid <= signed && paid <= BigInt(clock.devices) * elapsed;
      }),
    );
  });

  it('never pays less later, nor less for a larger voucher', () => {
    fc.assert(
      fc.property(units, units, clocks, later, later, (signed, more, clock, after, wait) => {
        const paid = payableUnits(signed, clock, clock.openedAt + after);
        expect(payableUnits(signed, clock, clock.openedAt + after + wait) >= paid).toBe(true);
        expect(payableUnits(signed + more, clock, clock.openedAt + after) >= paid).toBe(true);
      }),
    );
  });

  it('pays nothing more once the lease is stopped, but the prepaid seconds', () => {
    fc.assert(
      fc.property(units, clocks, later, (signed, clock, wait) => {
        const stopped = { ...clock, stopAt: clock.openedAt + 10 };
        const atStop = payableUnits(signed, stopped, stopped.stopAt);
        expect(payableUnits(signed, stopped, stopped.stopAt + wait)).toBe(atStop);
      }),
    );
  });

  it('pays a member that joined late only from then on', () => {
    const clock = { devices: 2, openedAt: 1_000, stopAt: 0, maxSeconds: 3_600, prepay: 0, accrueFrom: 1_500 };
    expect(payableUnits(10_000n, clock, 1_499)).toBe(0n);
    expect(payableUnits(10_000n, clock, 1_510)).toBe(20n);
    expect(payableUnits(10_000n, { ...clock, accrueFrom: 0 }, 1_510)).toBe(1_020n);
  });
});

describe('feeBetween', () => {
  it('adds up to the fee of one step, however the charge is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt({ min: 0n, max: 2n ** 90n }), { maxLength: 20 }),
        fc.integer({ min: 0, max: 10_000 }),
        (steps, feeBps) => {
          const total = steps.reduce((sum, step) => sum + step, 0n);
          let charged = 0n;
          let fees = 0n;
          for (const step of steps) {
            fees += feeBetween(charged, charged + step, feeBps);
            charged += step;
          }
          expect(fees).toBe(feeBetween(0n, total, feeBps));
          expect(fees <= total).toBe(true);
        },
      ),
    );
  });

  it('cannot be rounded away by charging in steps too small to bear a fee', () => {
    const stepwise = Array.from({ length: 1_000 }, (_, at) => feeBetween(BigInt(at), BigInt(at + 1), 50));
    expect(stepwise.reduce((sum, fee) => sum + fee, 0n)).toBe(5n);
  });
});

describe('deliveredUnitsDown', () => {
  it('counts whole seconds of every device and none before the start', () => {
    expect(deliveredUnitsDown(4, 1_000, 3_999)).toBe(8n);
    expect(deliveredUnitsDown(4, 1_000, 999)).toBe(0n);
  });

  it('is covered by the clock of a lease that opened no later', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_024 }), later, later, (devices, startedAfterMs, ranMs) => {
        const openedAt = 1_800_000_000;
        const startedAt = openedAt * 1_000 + startedAfterMs;
        const delivered = deliveredUnitsDown(devices, startedAt, startedAt + ranMs);
        const clock = { devices, openedAt, stopAt: 0, maxSeconds: 86_400, prepay: 0, accrueFrom: 0 };
        const now = Math.floor((startedAt + ranMs) / 1_000);
        return payableUnits(delivered, clock, now) === delivered;
      }),
    );
  });
});
