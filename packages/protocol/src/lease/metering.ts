import { chargeDown } from '../money/rate.ts';

/** What bounds a member's device-seconds. All times in unix seconds. */
export interface MemberClock {
  readonly devices: number;
  readonly openedAt: number;
  /** 0 until the lease is stopped. */
  readonly stopAt: number;
  readonly maxSeconds: number;
  readonly prepay: number;
  readonly accrueFrom: number;
}

/**
 * Device-seconds of a voucher that are payable at `now`: never more than the clock allows. Mirrors `Metering.sol`;
 * `vectors/charges.json` holds both to it.
 */
export function payableUnits(units: bigint, clock: MemberClock, now: number): bigint {
  const stopped = clock.stopAt !== 0 && clock.stopAt < now ? clock.stopAt : now;
  const until = Math.min(stopped + clock.prepay, clock.openedAt + clock.maxSeconds);
  const from = Math.max(clock.openedAt, clock.accrueFrom);
  const cap = until <= from ? 0n : BigInt(clock.devices) * BigInt(until - from);
  return units < cap ? units : cap;
}

/** Fee in base units that is due after a cumulative charge, given the charge before. Cumulative, so that it cannot be rounded away. */
export function feeBetween(chargedBefore: bigint, chargedAfter: bigint, feeBps: number): bigint {
  const bps = BigInt(feeBps);
  return (chargedAfter * bps) / 10_000n - (chargedBefore * bps) / 10_000n;
}

/** What a member is charged for cumulative units, in base units, rounded down. */
export function memberCharge(units: bigint, rate: bigint): bigint {
  return chargeDown(units, rate);
}

/**
 * Device-seconds delivered between two instants, rounded down to whole seconds (in the renter's favour).
 */
export function deliveredUnitsDown(devices: number, startedAtMs: number, nowMs: number): bigint {
  return nowMs <= startedAtMs ? 0n : BigInt(devices) * BigInt(Math.floor((nowMs - startedAtMs) / 1000));
}
