import type { WatchContext } from '../watch-context.ts';

/**
 * Forgets the papers of leases that are closed for good, and vouchers from before a change that is there for good: a
 * reorganisation can bring neither back.
 */
export function forgetClosed({ papers, follower, logger }: Pick<WatchContext, 'papers' | 'follower' | 'logger'>): void {
  for (const leaseId of papers.leases()) {
    const lease = follower.leaseHistory(leaseId, 'confirmed');
    if (lease === undefined) continue;
    if (lease.state === 'closed') {
      papers.drop(leaseId);
      logger.info({ leaseId }, 'the lease is closed; its papers are forgotten');
      continue;
    }
    const { vouchers } = papers.of(leaseId);
    const usable = vouchers.filter(({ units }) => units.length >= lease.members.length);
    if (usable.length < vouchers.length) papers.setVouchers(leaseId, usable);
  }
}
