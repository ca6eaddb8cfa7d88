import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { payableUnits } from '../lease/lease-clock.ts';
import { vouchedFor } from '../lease/lease-worth.ts';
import { followedLease, OPENED_AT, voucherOf } from '../lease.fixture.ts';
import { bestVouchers } from './best-vouchers.ts';

const lease = followedLease({ maxSeconds: 10_000 });
const units = fc.bigInt({ min: 0n, max: 20_000n });
const from = fc.oneof(fc.constant(0), fc.integer({ min: OPENED_AT - 10, max: OPENED_AT + 10_000 }));
const drawn = fc.array(fc.record({ units: fc.tuple(units, units), from: fc.tuple(from, from), after: fc.nat(500) }), {
  maxLength: 20,
});

describe('which vouchers are kept', () => {
  it('is the last one of an honest meter key', () => {
    let kept: readonly ReturnType<typeof voucherOf>[] = [];
    for (let seconds = 1n; seconds <= 20n; seconds += 1n) {
      kept = bestVouchers(lease, [...kept, voucherOf(lease, [seconds, seconds * 2n])], OPENED_AT + Number(seconds));
    }
    expect(kept).toEqual([voucherOf(lease, [20n, 40n])]);
  });

  it('takes nothing from a member that was payable when it was kept, whatever the meter key signs after', () => {
    fc.assert(
      fc.property(drawn, (vouchers) => {
        let kept: readonly ReturnType<typeof voucherOf>[] = [];
        let now = OPENED_AT;
        const most = [0n, 0n];
        for (const { units: amounts, from: starts, after } of vouchers) {
          now += after;
          const voucher = voucherOf(lease, amounts, starts);
          kept = bestVouchers(lease, [...kept, voucher], now);
          expect(kept.length).toBeLessThanOrEqual(2 * lease.members.length);
          for (const index of [0, 1]) {
            const worth = payableUnits(lease, index, vouchedFor(voucher, index), now);
            if (worth > (most[index] ?? 0n)) most[index] = worth;
            const best = kept.map((one) => payableUnits(lease, index, vouchedFor(one, index), now));
            expect(best.some((amount) => amount >= (most[index] ?? 0n))).toBe(true);
          }
        }
      }),
    );
  });

  it('is not decided by promises for later', () => {
    const honest = voucherOf(lease, [100n, 100n]);
    const now = OPENED_AT + 100;
    const promises = [1_000n, 2_000n, 3_000n].map((amount, index) =>
      voucherOf(lease, [amount, amount], [now + 1_000 * index, now + 1_000 * index]),
    );
    expect(bestVouchers(lease, [honest, ...promises], now)).toContain(honest);
  });

  it('weighs vouchers from before a member was added apart, as the change may be taken back', () => {
    const before = voucherOf(lease, [5n]);
    const after = voucherOf(lease, [4n, 4n]);
    expect(bestVouchers(lease, [before, after], OPENED_AT + 10)).toEqual([before, after]);
  });
});
