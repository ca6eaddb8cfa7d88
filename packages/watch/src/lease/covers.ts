import type { Voucher } from '@latent/protocol';

/** Whether a voucher promises every member at least what another one of as many members does: as many device-seconds, from as early. */
export function covers(
  larger: Pick<Voucher, 'units' | 'accrueFrom'>,
  smaller: Pick<Voucher, 'units' | 'accrueFrom'>,
): boolean {
  return (
    larger.units.length === smaller.units.length &&
    smaller.units.every((amount, index) => {
      const from = larger.accrueFrom[index] ?? Number.POSITIVE_INFINITY;
      return (larger.units[index] ?? -1n) >= amount && from <= (smaller.accrueFrom[index] ?? 0);
    })
  );
}
