import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leaseTimes } from '../lease/lease-clock.ts';
import { followedLease, OPENED_AT, operatorOf, voucherOf } from '../lease.fixture.ts';
import { decideLease, type KeptClaim, type LeasePapers, type Moment } from './decide-lease.ts';
import type { Policy } from './policy.ts';

const keeper: Policy = {
  worksFor: (account) => account === operatorOf(0),
  lastVoucherOnly: false,
  minWorth: 20_000_000n,
  gasTimes: 1_000n,
  maxAgeSeconds: 86_400,
  patienceSeconds: 300,
  spreadSeconds: 60,
  freedSeconds: 3_600,
};
const tower: Policy = { ...keeper, lastVoucherOnly: true, minWorth: 0n, gasTimes: 1n };
const none: LeasePapers = { vouchers: [], claims: [] };
const at = (seconds: number, turn = 0): Moment => ({ nowSeconds: OPENED_AT + seconds, turn, feeBps: 0 });
const claim = (lease: ReturnType<typeof followedLease>, member: number, units: bigint, leaves = false): KeptClaim => ({
  ...{ leaseId: lease.leaseId, member, units, leaves, keptAt: OPENED_AT + 50 },
  signature: `0x${'11'.repeat(64)}1b`,
});

describe('what is done for a lease', () => {
  it('is nothing without papers while it runs, or once it is closed or unknown', () => {
    const lease = followedLease();
    expect(decideLease(lease, none, keeper, at(1_000))).toEqual([]);
    const papers = { vouchers: [voucherOf(lease, [100n, 100n])], claims: [] };
    for (const state of ['closed', 'unknown'] as const) {
      expect(decideLease({ ...lease, state }, papers, keeper, at(100_000))).toEqual([]);
    }
    expect(decideLease({ ...lease, terms: undefined }, papers, keeper, at(100_000))).toEqual([]);
  });

  it('counts only what members get for whom it works, and what the clock allows', () => {
    const lease = followedLease();
    const papers = { vouchers: [voucherOf(lease, [500n, 5_000_000n])], claims: [] };
    // 100 s and 10 s of prepay at 1,000 base units; the other member is not ours.
    expect(decideLease(lease, papers, keeper, at(100))).toMatchObject([
      { deed: 'checkpoint', worth: 110_000n, isDue: false },
    ]);
    expect(decideLease(lease, papers, { ...keeper, worksFor: () => false }, at(100))).toEqual([]);
  });

  it('is a checkpoint of the voucher that brings most, with fees taken off', () => {
    const lease = followedLease({ paidUnits: [10n, 0n] });
    const better = voucherOf(lease, [90n, 1n]);
    const papers = {
      vouchers: [voucherOf(lease, [50n, 100n]), better, voucherOf(lease, [20n]), voucherOf(lease, [99n, 99n, 99n])],
      claims: [],
    };
    expect(decideLease(lease, papers, keeper, { ...at(1_000), feeBps: 50 })).toMatchObject([
      { voucher: better, worth: 79_600n },
    ]);
  });

  it('leaves the parties time after the end, and comes well before the window is over', () => {
    const closeWindows = fc.integer({ min: 900, max: 604_800 });
    const patience = fc.integer({ min: 0, max: 86_400 });
    const spread = fc.integer({ min: 0, max: 3_600 });
    const turns = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(closeWindows, patience, spread, turns, fc.boolean(), (...drawn) => {
        const [closeWindow, patienceSeconds, spreadSeconds, turn, isStopped] = drawn;
        const lease = followedLease({ closeWindow, stopAt: isStopped ? OPENED_AT + 1_000 : undefined });
        const papers = { vouchers: [voucherOf(lease, [500n, 500n])], claims: [] };
        const policy = { ...tower, patienceSeconds, spreadSeconds };
        const { endsAt, windowEndsAt } = leaseTimes(lease) ?? { endsAt: 0, windowEndsAt: 0 };
        const half = { nowSeconds: Math.ceil((endsAt + windowEndsAt) / 2), turn, feeBps: 30 };
        expect(decideLease(lease, papers, policy, half)).toMatchObject([{ deed: 'checkpoint', isDue: true }]);
        const early = { ...half, nowSeconds: endsAt + Math.min(patienceSeconds, Math.floor(closeWindow / 4)) - 1 };
        expect(decideLease(lease, papers, policy, early)).toEqual([]);
      }),
    );
  });

  it('is done by a watchtower for a member that was dismissed, once its clock has ended', () => {
    const roster = {
      ...{ opened: 2, maxSeconds: 86_400, deposit: 1_000_000_000n },
      ...{ from: [0, 0], until: [OPENED_AT + 400, 0] },
    };
    const lease = followedLease({ roster });
    const papers = { vouchers: [voucherOf(lease, [1_000n, 1_000n])], claims: [] };
    expect(decideLease(lease, papers, tower, at(400 + 299))).toEqual([]);
    expect(decideLease(lease, papers, tower, at(400 + 300))).toMatchObject([
      { deed: 'checkpoint', worth: 400_000n, isDue: true, why: 'member 0 was dismissed' },
    ]);
    const paid = followedLease({ roster, paidUnits: [400n, 0n] });
    expect(decideLease(paid, papers, tower, at(5_000))).toEqual([]);
  });

  it('pays nobody who has left', () => {
    const roster = { opened: 2, maxSeconds: 86_400, deposit: 1_000_000_000n, from: [0, 0], until: [1, 0] };
    const lease = followedLease({ roster, stopAt: OPENED_AT + 1_000, paidUnits: [5n, 0n] });
    const papers = { vouchers: [voucherOf(lease, [900n, 900n])], claims: [] };
    expect(decideLease(lease, papers, tower, at(3_000))).toEqual([]);
  });

  it('is a checkpoint of what was not paid for long, counted from the last payment', () => {
    const lease = followedLease({ maxSeconds: 864_000, paidUnits: [10n, 10n], paidAt: OPENED_AT + 10_000 });
    const papers = { vouchers: [voucherOf(lease, [20n, 20n])], claims: [] };
    expect(decideLease(lease, papers, keeper, at(96_399))).toMatchObject([{ isDue: false }]);
    expect(decideLease(lease, papers, keeper, at(96_400))).toMatchObject([
      { isDue: true, why: 'it was not paid for long' },
    ]);
  });

  it('is to close it when all have signed, a voucher covers each, and they had time to do it themselves', () => {
    const lease = followedLease();
    const claims = [claim(lease, 0, 40n), claim(lease, 1, 30n)];
    const papers = { vouchers: [voucherOf(lease, [39n, 30n]), voucherOf(lease, [40n, 30n])], claims };
    expect(decideLease(lease, papers, keeper, at(349)).map(({ deed }) => deed)).toEqual(['checkpoint']);
    const [close] = decideLease(lease, papers, keeper, at(350));
    // 40 s of work and an hour of the device.
    expect(close).toMatchObject({ deed: 'close', worth: 3_640_000n, isDue: true, voucher: papers.vouchers[1] });
    expect(close?.claims.map(({ member }) => member)).toEqual([0, 1]);
    for (const wrong of [
      { ...papers, claims: [claim(lease, 0, 40n)] },
      { ...papers, claims: [claim(lease, 0, 41n), claim(lease, 1, 30n)] },
      { ...papers, vouchers: [] },
    ]) {
      expect(decideLease(lease, wrong, keeper, at(350)).filter(({ deed }) => deed === 'close')).toEqual([]);
    }
    expect(decideLease(lease, papers, tower, at(350))).toEqual([]);
  });

  it('is to finalize it after its window, with the last voucher or without', () => {
    const lease = followedLease({ stopAt: OPENED_AT + 1_000 });
    expect(decideLease(lease, none, keeper, at(4_600))).toEqual([]);
    expect(decideLease(lease, none, keeper, at(4_601))).toMatchObject([{ deed: 'finalize', voucher: undefined }]);
    const papers = { vouchers: [voucherOf(lease, [50n, 0n])], claims: [] };
    expect(decideLease(lease, papers, keeper, at(4_601))[0]).toMatchObject({ deed: 'finalize', worth: 3_650_000n });
    expect(decideLease(lease, none, tower, at(4_601))).toEqual([]);
  });

  it('counts the refund of a renter it works for', () => {
    const lease = followedLease({ stopAt: OPENED_AT + 1_000, paidUnits: [100n, 50n] });
    const forRenter = { ...keeper, worksFor: (account: string) => account === lease.terms?.order.renter };
    expect(decideLease(lease, none, forRenter, at(4_700))).toMatchObject([
      { deed: 'finalize', worth: 1_000_000_000n - 150_000n },
    ]);
  });

  it('lets a member leave that said so and is ours, if what it claims is covered', () => {
    const lease = followedLease();
    const vouchers = [voucherOf(lease, [40n, 40n])];
    const leaving = { vouchers, claims: [claim(lease, 0, 40n, true), claim(lease, 1, 40n, true)] };
    const wishes = decideLease(lease, { ...leaving, claims: [claim(lease, 0, 40n, true)] }, keeper, at(60));
    expect(wishes).toMatchObject([
      { deed: 'leave', claims: [{ member: 0 }], worth: 3_640_000n },
      { deed: 'checkpoint' },
    ]);
    expect(decideLease(lease, { vouchers, claims: [claim(lease, 1, 40n, true)] }, keeper, at(60))).toMatchObject([
      { deed: 'checkpoint' },
    ]);
    expect(decideLease(lease, { vouchers, claims: [claim(lease, 0, 40n)] }, keeper, at(60))).toMatchObject([
      { deed: 'checkpoint' },
    ]);
  });

  it('is worth something to those it works for, whatever it is', () => {
    const amounts = fc.bigInt({ min: 0n, max: 200_000n });
    fc.assert(
      fc.property(amounts, amounts, amounts, amounts, fc.integer({ min: 0, max: 200_000 }), (...drawn) => {
        const [one, two, first, second, seconds] = drawn;
        const paidUnits = first === 0n && second === 0n ? [] : [first, second];
        const lease = followedLease({ paidUnits });
        const papers = {
          vouchers: [voucherOf(lease, [one, two])],
          claims: [claim(lease, 0, one), claim(lease, 1, two)],
        };
        for (const wish of decideLease(lease, papers, keeper, { ...at(seconds), feeBps: 50 })) {
          expect(wish.worth).toBeGreaterThan(0n);
          // No voucher pays faster than the clock, or more than was signed.
          const most = one < BigInt(seconds + 10) ? one : BigInt(seconds + 10);
          const gained = most > first ? (most - first) * 1_000n : 0n;
          expect(wish.worth).toBeLessThanOrEqual(gained + 3_600_000n);
        }
      }),
    );
  });
});
