import type { FollowedLease } from '@latent/chain';
import { LEFT } from '@latent/protocol';

/** The times of an open lease. Unix seconds of the chain. */
export interface LeaseTimes {
  readonly openedAt: number;
  /** When its clock ends: the stop, or its length. Still to come while it runs. */
  readonly endsAt: number;
  /** Last second in which a voucher is safe; after it anybody may end the lease without one. */
  readonly windowEndsAt: number;
  readonly closeWindow: number;
}

/** What the escrow pays a member by: its part of the terms, and its own clock within the lease's. */
export interface MemberClock {
  readonly devices: number;
  /** Unix seconds at which it begins. */
  readonly from: number;
  /** Unix seconds at which it ends, if it was dismissed; undefined: with the lease. */
  readonly until: number | undefined;
  readonly hasLeft: boolean;
}

/** @returns undefined if the lease is not open, or its opening is not known */
export function leaseTimes(lease: FollowedLease): LeaseTimes | undefined {
  const { terms, openedAt, stopAt, roster, state } = lease;
  if (terms === undefined || (state !== 'active' && state !== 'stopping')) return undefined;
  const { closeWindow, maxSeconds } = terms.order;
  const lastsUntil = openedAt + (roster?.maxSeconds ?? maxSeconds);
  const endsAt = stopAt === undefined ? lastsUntil : Math.min(stopAt, lastsUntil);
  return { openedAt, endsAt, windowEndsAt: endsAt + closeWindow, closeWindow };
}

export function memberClock(lease: FollowedLease, index: number): MemberClock {
  const until = lease.roster?.until[index] ?? 0;
  return {
    devices: lease.members[index]?.devices ?? 0,
    from: Math.max(lease.openedAt, lease.roster?.from[index] ?? 0),
    until: until === 0 || until === LEFT ? undefined : until,
    hasLeft: until === LEFT,
  };
}

/**
 * Device-seconds of a member that the escrow would pay for by a voucher at `nowSeconds`, cumulative; never less than what it
 * has paid. As `Paying._raise`.
 */
export function payableUnits(
  lease: FollowedLease,
  index: number,
  vouched: { readonly units: bigint; readonly accrueFrom: number },
  nowSeconds: number,
): bigint {
  const paid = lease.paidUnits[index] ?? 0n;
  const { order } = lease.terms ?? {};
  const clock = memberClock(lease, index);
  if (order === undefined || clock.hasLeft) return paid;
  const stopped = lease.stopAt === undefined ? nowSeconds : Math.min(lease.stopAt, nowSeconds);
  const leaseUntil = Math.min(stopped + order.prepay, lease.openedAt + (lease.roster?.maxSeconds ?? order.maxSeconds));
  const until = clock.until === undefined ? leaseUntil : Math.min(clock.until, leaseUntil);
  const seconds = until - Math.max(clock.from, vouched.accrueFrom);
  const most = seconds <= 0 ? 0n : BigInt(clock.devices) * BigInt(seconds);
  const payable = vouched.units < most ? vouched.units : most;
  return payable > paid ? payable : paid;
}
