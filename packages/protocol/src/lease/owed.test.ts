import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LEFT } from '../messages/roster.ts';
import { chargeDown, chargeUp } from '../money/rate.ts';
import { payableUnits } from './metering.ts';
import { dismissedBits, leastDeposit, owedAt, type RunningLease, type WantedChange } from './owed.ts';

const OPENED = 1_800_000_000;
const PREPAY = 30;

const memberArbitrary = fc.record({
  devices: fc.integer({ min: 1, max: 64 }),
  rate: fc.bigInt({ min: 1n, max: 2n ** 63n }),
  paid: fc.bigInt({ min: 0n, max: 1_000n }),
  joinedAfter: fc.option(fc.integer({ min: 1, max: 400 })),
  until: fc.oneof(fc.constant(0), fc.constant(LEFT), fc.integer({ min: OPENED + 400, max: OPENED + 900 })),
});
type DrawnMember = typeof memberArbitrary extends fc.Arbitrary<infer T> ? T : never;

function leaseOf(members: readonly DrawnMember[], stopAt: number): RunningLease {
  return {
    members,
    roster: {
      opened: 1,
      maxSeconds: 3_600,
      deposit: 0n,
      from: members.map(({ joinedAfter }) => (joinedAfter === null ? 0 : OPENED + joinedAfter)),
      until: members.map(({ until }) => until),
    },
    paidUnits: members.map(({ paid }) => paid),
    ...{ openedAt: OPENED, stopAt, prepay: PREPAY },
  };
}

const cases = fc.record({
  members: fc.array(memberArbitrary, { minLength: 1, maxLength: 6 }),
  added: fc.array(
    fc.record({ devices: fc.integer({ min: 1, max: 64 }), rate: fc.bigInt({ min: 1n, max: 2n ** 63n }) }),
    {
      maxLength: 3,
    },
  ),
  at: fc.integer({ min: OPENED + 400, max: OPENED + 3_500 }),
  longer: fc.integer({ min: 0, max: 10_000 }),
  picks: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
});

describe('what a changed lease can still cost', () => {
  it('covers everything that any voucher can ever be paid, at any later time', () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: 0, max: 20_000 }), ({ members, added, at, longer, picks }, later) => {
        const lease = leaseOf(members, 0);
        const dismissed = members.flatMap(({ until }, index) => (until === 0 && picks[index] === true ? [index] : []));
        const change: WantedChange = { dismissed, added, maxSeconds: 3_600 + longer };
        const end = OPENED + change.maxSeconds;
        const paidTo = (from: number, until: number, { devices, rate }: { devices: number; rate: bigint }) => {
          const clock = {
            devices,
            openedAt: OPENED,
            stopAt: 0,
            maxSeconds: until - OPENED,
            prepay: PREPAY,
            accrueFrom: from,
          };
          return chargeDown(payableUnits(2n ** 96n - 1n, clock, at + later), rate);
        };
        const known = members.map((member, index) => {
          if (member.until === LEFT) return chargeDown(member.paid, member.rate);
          const own = dismissed.includes(index) ? at + PREPAY : member.until === 0 ? end : member.until;
          return paidTo(lease.roster.from[index] ?? 0, Math.min(own, end), member);
        });
        const joining = added.map((member) => paidTo(at, end, member));
        const charged = [...known, ...joining].reduce((sum, charge) => sum + charge, 0n);
        expect(owedAt(lease, change, at) >= charged).toBe(true);
      }),
    );
  });

  it('is the deposit of the opening while nothing has changed, and grows by a second for each second more', () => {
    const members = [{ devices: 3, rate: 777_777_777n, paid: 0n, joinedAfter: null, until: 0 }];
    const unchanged = { dismissed: [], added: [], maxSeconds: 3_600 };
    expect(owedAt(leaseOf(members, 0), unchanged, OPENED + 500)).toBe(chargeUp(3n * 3_600n, 777_777_777n));
    expect(owedAt(leaseOf(members, 0), { ...unchanged, maxSeconds: 3_601 }, OPENED + 500)).toBe(
      chargeUp(3n * 3_601n, 777_777_777n),
    );
  });

  it('frees all but the prepay of a stopped lease', () => {
    const members = [{ devices: 2, rate: 10n ** 9n, paid: 0n, joinedAfter: null, until: 0 }];
    const change = { dismissed: [], added: [], maxSeconds: 3_600 };
    expect(owedAt(leaseOf(members, OPENED + 100), change, OPENED + 500)).toBe(2n * (100n + BigInt(PREPAY)));
  });

  it('holds at every second at which the change may be mined', () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: 0, max: 120 }), ({ members, added, at, longer }, late) => {
        const lease = leaseOf(members, 0);
        const dismissed = members.flatMap(({ until }, index) => (until === 0 ? [index] : []));
        const change = { dismissed, added, maxSeconds: 3_600 + longer };
        const least = leastDeposit(lease, change, at, at + 120);
        expect(owedAt(lease, change, at + late) <= least).toBe(true);
      }),
    );
  });
});

describe('dismissedBits', () => {
  it('sets one bit for each place', () => {
    expect(dismissedBits([0, 3, 127])).toBe(1n + 8n + 2n ** 127n);
    expect(dismissedBits([])).toBe(0n);
  });
});
