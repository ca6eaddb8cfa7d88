import type { FollowedLease } from '@latent/chain';
import type { SignedVoucher } from '@latent/protocol';
import { leaseTimes, payableUnits } from '../lease/lease-clock.ts';
import { vouchedFor } from '../lease/lease-worth.ts';

/** The escrow takes a voucher for the members that it names; one from before some were added proves nothing for those. */
export function isPostable(lease: FollowedLease, voucher: SignedVoucher): boolean {
  return voucher.units.length <= lease.members.length && voucher.accrueFrom.length === voucher.units.length;
}

/**
 * Which vouchers of a lease to keep: for each member the one that pays it most now, and the one that pays it most at the
 * lease's end. Of an honest meter key that is one voucher, as each covers the one before. A hostile renter can sign others,
 * with more units from a later start, to push out what an agent has handed on: what pays most now is never given up for
 * them, so that a member can lose nothing that was payable when it was kept.
 *
 * Vouchers for fewer members, from before some were added, are weighed apart: each is good for the members that it names.
 * @param vouchers checked, in the order they came
 * @returns at most two for each member and each number of members
 */
export function bestVouchers(
  lease: FollowedLease,
  vouchers: readonly SignedVoucher[],
  nowSeconds: number,
): readonly SignedVoucher[] {
  const endsAt = leaseTimes(lease)?.endsAt ?? nowSeconds;
  const best = new Set<SignedVoucher>();
  for (const group of Map.groupBy(vouchers, ({ units }) => units.length).values()) {
    for (const index of lease.members.keys()) {
      for (const atSeconds of [nowSeconds, Math.max(nowSeconds, endsAt)]) {
        const chosen = bestFor(lease, group, index, atSeconds);
        if (chosen !== undefined) best.add(chosen);
      }
    }
  }
  return vouchers.filter((voucher) => best.has(voucher));
}

/** Ties go to more units, then to the earlier start, then to the voucher that was there first. */
function bestFor(
  lease: FollowedLease,
  vouchers: readonly SignedVoucher[],
  index: number,
  atSeconds: number,
): SignedVoucher | undefined {
  let best: { readonly voucher: SignedVoucher; readonly worth: readonly bigint[] } | undefined;
  for (const voucher of vouchers) {
    const vouched = vouchedFor(voucher, index);
    const worth = [payableUnits(lease, index, vouched, atSeconds), vouched.units, -BigInt(vouched.accrueFrom)];
    if (best === undefined || isMore(worth, best.worth)) best = { voucher, worth };
  }
  return best?.voucher;
}

function isMore(one: readonly bigint[], other: readonly bigint[]): boolean {
  for (const [place, value] of one.entries()) {
    const than = other[place] ?? 0n;
    if (value !== than) return value > than;
  }
  return false;
}
