/**
 * A rate is the price of one device for one second, in 10^-9 base units of the stablecoin, so that a price per hour
 * survives the division: $2.00/h = 555,555,555,555 (rounded down).
 */
export const RATE_SCALE = 1_000_000_000n;
const SECONDS_PER_HOUR = 3_600n;

/** Base units per device-hour → rate, rounded down (in the renter's favour). */
export function rateFromHourlyDown(unitsPerDeviceHour: bigint): bigint {
  return (unitsPerDeviceHour * RATE_SCALE) / SECONDS_PER_HOUR;
}

/** Rate → base units per device-hour, rounded up: never shows less than what is charged. */
export function hourlyFromRateUp(rate: bigint): bigint {
  return ceilDiv(rate * SECONDS_PER_HOUR, RATE_SCALE);
}

/** What `units` device-seconds cost at `rate`, in base units, rounded down. */
export function chargeDown(units: bigint, rate: bigint): bigint {
  return (units * rate) / RATE_SCALE;
}

/** The most `devices` can cost in `seconds`, in base units, rounded up; what a deposit has to cover per member. */
export function chargeUp(units: bigint, rate: bigint): bigint {
  return ceilDiv(units * rate, RATE_SCALE);
}

function ceilDiv(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
