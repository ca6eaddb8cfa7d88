import { checkVoucher, type PaperTaken, type SignedVoucher } from '@latent/protocol';
import { covers } from '../lease/covers.ts';
import type { WatchContext } from '../watch-context.ts';
import { bestVouchers } from './best-vouchers.ts';
import { findOpenLease, makeRoom } from './find-open-lease.ts';

/**
 * Takes a voucher: it is the meter key's, for a lease that is open and that this daemon works for; the best ones of the lease
 * are on the disk when this answers. Its size and the sender's rate have been held to their limits before.
 * @throws LatentError LEASE_NOT_ACTIVE, NOT_ALLOWED, LEASE_MISMATCH, VOUCHER_BAD_SIGNATURE, WATCH_RATE_LIMITED
 */
export async function takeVoucher(context: WatchContext, voucher: SignedVoucher): Promise<PaperTaken> {
  const { domain, papers, leaseLimiter, logger } = context;
  const { leaseId } = voucher;
  const { lease, order, nowSeconds } = findOpenLease(context, leaseId);
  // Handed on by every member of a lease: all but the first are told at no cost.
  if (papers.of(leaseId).vouchers.some((kept) => isSame(kept, voucher))) {
    return { leaseId, state: 'known' };
  }
  // One from before members were added is good for those that it names.
  const memberCount = Math.min(voucher.units.length, lease.members.length);
  await checkVoucher(domain, { leaseId, order, memberCount }, voucher);
  leaseLimiter.admit(leaseId);
  makeRoom(context, leaseId);
  // Read again: others may have been taken while the signature was checked. From here on nothing waits.
  const before = papers.of(leaseId).vouchers;
  if (before.some((kept) => covers(kept, voucher))) return { leaseId, state: 'known' };
  const best = bestVouchers(lease, [...before.filter((kept) => !covers(voucher, kept)), voucher], nowSeconds);
  if (!best.includes(voucher)) return { leaseId, state: 'known' };
  papers.setVouchers(leaseId, best);
  logger.debug({ leaseId, vouchers: best.length }, 'voucher kept');
  return { leaseId, state: 'kept' };
}

function isSame(one: SignedVoucher, other: SignedVoucher): boolean {
  return one.signature === other.signature && covers(one, other) && covers(other, one);
}
