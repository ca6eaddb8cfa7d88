import type { LeaseTerms, Member } from '../../messages/order.ts';
import { LEFT } from '../../messages/roster.ts';
import type { SignedVoucher } from '../../messages/voucher.ts';
import { chargeUp } from '../../money/rate.ts';
import { memberCharge, payableUnits } from '../metering.ts';

/** Where a lease stands after some of its events, recomputed. Times in unix seconds. */
export interface Standing {
  readonly terms: LeaseTerms;
  readonly feeBps: number;
  readonly openedAt: number;
  /** 0 until stopped. */
  readonly stopAt: number;
  /** When it was last paid while it ran; 0 if never. */
  readonly checkpointedAt: number;
  readonly isChanged: boolean;
  readonly maxSeconds: number;
  readonly deposit: bigint;
  readonly members: readonly StandingMember[];
  /** When it closed; undefined while it is open. */
  readonly closedAt: number | undefined;
}

export interface StandingMember {
  readonly member: Member;
  /** 0: with the lease. */
  readonly from: number;
  /** 0: serves to the end; `LEFT`; else the clock ends here. */
  readonly until: number;
  /** When it left; undefined unless it did. */
  readonly leftAt: number | undefined;
  /** Cumulative device-seconds paid. */
  readonly paid: bigint;
}

export function openStanding(terms: LeaseTerms, feeBps: number, openedAt: number): Standing {
  const { deposit, maxSeconds } = terms.order;
  const members = terms.members.map((member) => ({ member, from: 0, until: 0, leftAt: undefined, paid: 0n }));
  return {
    ...{ terms, feeBps, openedAt, stopAt: 0, checkpointedAt: 0, isChanged: false, maxSeconds, deposit, members },
    closedAt: undefined,
  };
}

/** What all members were charged so far: the sum of `floor(rate × units / 10⁹)`. */
export function chargedOf({ members }: Standing): bigint {
  return members.reduce((sum, { member, paid }) => sum + memberCharge(paid, member.rate), 0n);
}

/**
 * The most that the contract pays a member at a time, whatever was paid before. Mirrors `Paying._raise`.
 * @param units what a voucher says; undefined: as much as the clock allows
 */
export function payableTo(
  standing: Standing,
  { member, from, until }: StandingMember,
  { units, accrueFrom, now }: { readonly units: bigint | undefined; readonly accrueFrom: number; readonly now: number },
): bigint {
  const { openedAt, stopAt, maxSeconds, terms } = standing;
  const own = until === 0 ? Number.POSITIVE_INFINITY : until;
  const stopped = Math.min(now, stopAt === 0 ? now : stopAt);
  const end = Math.min(stopped + terms.order.prepay, openedAt + maxSeconds, own);
  const clock = {
    ...{ devices: member.devices, openedAt: Math.max(openedAt, from), stopAt: 0, prepay: 0, accrueFrom },
    maxSeconds: Number.MAX_SAFE_INTEGER,
  };
  return payableUnits(units ?? 2n ** 96n - 1n, clock, end);
}

/** What every member is paid for once this voucher is posted: never less than before. */
export function provenUnits(standing: Standing, voucher: SignedVoucher | undefined, now: number): readonly bigint[] {
  return standing.members.map((one, index) => {
    if (voucher === undefined) return one.paid;
    const [units, accrueFrom] = [voucher.units[index] ?? 0n, voucher.accrueFrom[index] ?? 0];
    const payable = payableTo(standing, one, { units, accrueFrom, now });
    return payable > one.paid ? payable : one.paid;
  });
}

/** The last second of the time that operators have after a lease stopped or ended. */
export function windowEnd({ openedAt, maxSeconds, stopAt, terms }: Standing): number {
  const end = openedAt + maxSeconds;
  return (stopAt !== 0 && stopAt < end ? stopAt : end) + terms.order.closeWindow;
}

/** The most that all members can ever have been paid, in base units: no deposit may be less. */
export function owedUp(standing: Standing): bigint {
  const { openedAt, stopAt, maxSeconds, terms, members } = standing;
  const end = Math.min(openedAt + maxSeconds, stopAt === 0 ? Number.POSITIVE_INFINITY : stopAt + terms.order.prepay);
  return members.reduce((sum, { member, from, until, paid }) => {
    if (until === LEFT) return sum + memberCharge(paid, member.rate);
    const seconds = Math.max(0, Math.min(end, until === 0 ? end : until) - (from === 0 ? openedAt : from));
    return sum + chargeUp(BigInt(member.devices) * BigInt(seconds), member.rate);
  }, 0n);
}
