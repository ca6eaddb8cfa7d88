import { payableUnits as payableByProtocol } from '@latent/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { followedLease, OPENED_AT } from '../lease.fixture.ts';
import { leaseTimes, memberClock, payableUnits } from './lease-clock.ts';

const times = fc.integer({ min: OPENED_AT - 100, max: OPENED_AT + 20_000 });

describe('the clock of a lease', () => {
  it('pays as the protocol does, where the lease was never changed, and never takes back', () => {
    const units = fc.bigInt({ min: 0n, max: 100_000n });
    fc.assert(
      fc.property(
        units,
        units,
        fc.option(times, { nil: undefined }),
        times,
        times,
        (amount, paid, stopAt, from, now) => {
          const lease = followedLease({ maxSeconds: 10_000, devices: 3, stopAt, paidUnits: [paid, 0n] });
          const vouched = { units: amount, accrueFrom: from };
          const clock = {
            ...{
              devices: 3,
              openedAt: OPENED_AT,
              stopAt: stopAt ?? 0,
              maxSeconds: 10_000,
              prepay: 10,
              accrueFrom: from,
            },
          };
          const payable = payableByProtocol(amount, clock, now);
          expect(payableUnits(lease, 0, vouched, now)).toBe(payable > paid ? payable : paid);
        },
      ),
    );
  });

  it('bounds members that joined later, were dismissed, or have left', () => {
    const roster = {
      ...{ opened: 2, maxSeconds: 5_000, deposit: 1n },
      ...{ from: [0, OPENED_AT + 1_000], until: [OPENED_AT + 2_000, 1] },
    };
    const lease = followedLease({ roster, paidUnits: [0n, 7n] });
    const vouched = { units: 100_000n, accrueFrom: 0 };
    expect(payableUnits(lease, 0, vouched, OPENED_AT + 9_000)).toBe(2_000n);
    expect(payableUnits(lease, 1, vouched, OPENED_AT + 9_000)).toBe(7n);
    const joined = followedLease({ roster: { ...roster, until: [0, 0] } });
    expect(payableUnits(joined, 1, vouched, OPENED_AT + 9_000)).toBe(4_000n);
    expect(memberClock(lease, 1).hasLeft).toBe(true);
    expect(leaseTimes(joined)).toMatchObject({ endsAt: OPENED_AT + 5_000, windowEndsAt: OPENED_AT + 8_600 });
  });
});
