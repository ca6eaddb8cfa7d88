import type { Voucher } from '@latent/protocol';

type Promised = Pick<Voucher, 'units' | 'accrueFrom'>;

/**
 * Whether a voucher promises every member at least what another one does: as many device-seconds, from as early. So agents
 * judge it too. Members that the smaller one does not have yet count as promised nothing.
 */
export function covers(larger: Promised, smaller: Promised): boolean {
  return smaller.units.every(
    (amount, index) =>
      (larger.units[index] ?? -1n) >= amount &&
      (larger.accrueFrom[index] ?? Number.POSITIVE_INFINITY) <= (smaller.accrueFrom[index] ?? 0),
  );
}

/** The smallest that covers both. */
export function joined(a: Promised, b: Promised): Promised {
  const [long, short] = a.units.length >= b.units.length ? [a, b] : [b, a];
  return {
    units: long.units.map((amount, index) => larger(amount, short.units[index] ?? 0n)),
    accrueFrom: long.accrueFrom.map((from, index) => Math.min(from, short.accrueFrom[index] ?? from)),
  };
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
