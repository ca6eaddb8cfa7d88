import type { FollowedLease } from '@latent/chain';
import { LatentError, type LeaseId, type Order } from '@latent/protocol';
import type { WatchContext } from '../watch-context.ts';

export interface OpenLease {
  readonly lease: FollowedLease;
  readonly order: Order;
  /** Unix seconds of the chain. */
  readonly nowSeconds: number;
}

/**
 * An open lease that this daemon works for. Looks at what it has followed, not at the chain: strangers cannot make it ask.
 * @throws LatentError LEASE_NOT_ACTIVE, NOT_ALLOWED
 */
export function findOpenLease({ follower, chainClock, policy }: WatchContext, leaseId: LeaseId): OpenLease {
  const lease = follower.leaseHistory(leaseId);
  const nowSeconds = chainClock.nowSeconds();
  if (lease?.terms === undefined || nowSeconds === undefined) {
    throw new LatentError('LEASE_NOT_ACTIVE', `No lease ${leaseId} has been seen on the chain.`, {
      ...{ retry: 'later', hint: 'If it was opened just now, try again in a moment.', details: { leaseId } },
    });
  }
  if (lease.state === 'closed') {
    throw new LatentError('LEASE_NOT_ACTIVE', `Lease ${leaseId} is closed.`, { details: { leaseId } });
  }
  const { order } = lease.terms;
  if (!policy.worksFor(order.renter) && !lease.members.some(({ operator }) => policy.worksFor(operator))) {
    throw new LatentError('NOT_ALLOWED', `Nobody in lease ${leaseId} is somebody that this daemon works for.`, {
      ...{ hint: 'Whoever runs it names them in `for`.', details: { leaseId } },
    });
  }
  return { lease, order, nowSeconds };
}

/** @throws LatentError WATCH_RATE_LIMITED if there is no room for one more lease */
export function makeRoom({ papers, options }: WatchContext, leaseId: LeaseId): void {
  const { vouchers, claims } = papers.of(leaseId);
  if (vouchers.length > 0 || claims.length > 0 || papers.counts().leases < options.maxLeases) return;
  throw new LatentError('WATCH_RATE_LIMITED', `Papers of ${options.maxLeases} leases are kept, and of no more.`, {
    hint: 'Use another keeper or watchtower.',
  });
}
