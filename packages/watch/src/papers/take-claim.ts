import { LatentError, type PaperTaken, recoverClose, type SignedClose } from '@latent/protocol';
import { memberClock } from '../lease/lease-clock.ts';
import type { WatchContext } from '../watch-context.ts';
import { findOpenLease, makeRoom } from './find-open-lease.ts';

/**
 * Takes the claim of one member, signed by its agent. Of two of one member the larger is kept: an agent that signed both can
 * have the one, and nobody can push it out with the other.
 * @param leaves the member ends its part alone, whatever the others do; once said, it stays said
 * @throws LatentError LEASE_NOT_ACTIVE, NOT_ALLOWED (also where somebody else signed), LEASE_MISMATCH, WATCH_RATE_LIMITED
 */
export async function takeClaim(context: WatchContext, claim: SignedClose, leaves: boolean): Promise<PaperTaken> {
  const { domain, papers, leaseLimiter, logger } = context;
  const { leaseId, member } = claim;
  const { lease, nowSeconds } = findOpenLease(context, leaseId);
  const agentKey = lease.members[member]?.agentKey;
  if (agentKey === undefined || memberClock(lease, member).hasLeft) {
    throw new LatentError('LEASE_MISMATCH', `Lease ${leaseId} has no member ${member} that could claim.`, {
      details: { leaseId, members: lease.members.length },
    });
  }
  const signer = await recoverClose(domain, claim);
  if (signer !== agentKey) {
    throw new LatentError('NOT_ALLOWED', `The claim is signed by ${signer ?? 'nobody'}, not by agent ${agentKey}.`, {
      details: { leaseId, member },
    });
  }
  leaseLimiter.admit(leaseId);
  makeRoom(context, leaseId);
  const before = papers.of(leaseId).claims.find((kept) => kept.member === member);
  const isNew = before === undefined || before.units < claim.units || (leaves && !before.leaves);
  if (!isNew) return { leaseId, state: 'known' };
  const larger = before !== undefined && before.units >= claim.units ? before : claim;
  papers.setClaim(larger, { leaves: leaves || before?.leaves === true, keptAt: nowSeconds });
  logger.debug({ leaseId, member, leaves }, 'claim kept');
  return { leaseId, state: 'kept' };
}
