import { RELAY_UNIT_BYTES } from '../messages/relay-ask.ts';
import { chargeUp, RATE_SCALE } from '../money/rate.ts';
import { type MemberClock, payableUnits } from './metering.ts';

const UNITS_PER_GIB = 1_024n;

/** Device-seconds that so many relayed bytes have come to: whole units, rounded down in the payer's favour. */
export function relayUnitsDown(bytes: number): bigint {
  return BigInt(Math.floor(bytes / RELAY_UNIT_BYTES));
}

/** Bytes that may have been relayed in all at `now` (unix seconds): what vouchers cover, and the clock lets be paid. */
export function payableRelayBytes(coveredUnits: bigint, clock: MemberClock, now: number): number {
  return Number(payableUnits(coveredUnits, clock, now)) * RELAY_UNIT_BYTES;
}

/** Base units per GiB → rate per device-second, rounded down (in the renter's favour). */
export function relayRateDown(pricePerGib: bigint): bigint {
  return (pricePerGib * RATE_SCALE) / UNITS_PER_GIB;
}

/** Rate → base units per GiB, rounded up: never shows less than what is charged. */
export function pricePerGibUp(rate: bigint): bigint {
  return chargeUp(UNITS_PER_GIB, rate);
}
