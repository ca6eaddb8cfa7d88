import type { FollowedLease } from '@latent/chain';
import { chargeDown, feeBetween, type SignedVoucher } from '@latent/protocol';
import type { Address } from 'viem';
import { memberClock, payableUnits } from './lease-clock.ts';

/** For whom something is done: an operator or a renter, by its account. */
export type WorksFor = (account: Address) => boolean;

/** What a member receives when it is paid up to `units`, fee off. Base units of the stablecoin. */
export function incomeDown(lease: FollowedLease, index: number, units: bigint, feeBps: number): bigint {
  const rate = lease.members[index]?.rate ?? 0n;
  const before = chargeDown(lease.paidUnits[index] ?? 0n, rate);
  const after = chargeDown(units, rate);
  return after <= before ? 0n : after - before - feeBetween(before, after, feeBps);
}

/** What members of ours would receive by a voucher at `nowSeconds`, beyond what they have. */
export function voucherWorthDown(
  lease: FollowedLease,
  voucher: SignedVoucher,
  terms: { readonly worksFor: WorksFor; readonly feeBps: number; readonly nowSeconds: number },
): bigint {
  return lease.members.reduce((sum, { operator }, index) => {
    if (!terms.worksFor(operator)) return sum;
    const units = payableUnits(lease, index, vouchedFor(voucher, index), terms.nowSeconds);
    return sum + incomeDown(lease, index, units, terms.feeBps);
  }, 0n);
}

/** What a voucher says of one member; nothing if it does not know it. */
export function vouchedFor(voucher: SignedVoucher, index: number) {
  return { units: voucher.units[index] ?? 0n, accrueFrom: voucher.accrueFrom[index] ?? 0 };
}

/**
 * What it is worth to operators of ours that their devices are free again: `seconds` of their price.
 * @param only this member; all that have not left unless given
 */
export function freedWorthDown(lease: FollowedLease, worksFor: WorksFor, seconds: number, only?: number): bigint {
  return lease.members.reduce((sum, { operator, devices, rate }, index) => {
    const isMeant = only === undefined || only === index;
    if (!isMeant || !worksFor(operator) || memberClock(lease, index).hasLeft) return sum;
    return sum + chargeDown(BigInt(devices) * BigInt(seconds), rate);
  }, 0n);
}
