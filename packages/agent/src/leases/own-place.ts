import { type ChangedLease, LatentError, LEFT, type LeaseId, type LeaseTerms } from '@latent/protocol';
import type { Address } from 'viem';

/**
 * Our place among the members of a lease: the one that we have not left. No need to check our signature on the ask or our
 * devices: the escrow did both when it took us.
 * @throws LatentError LEASE_MISMATCH if it names us not once
 */
export function ownPlace(
  agentKey: Address,
  leaseId: LeaseId,
  { terms, changed }: { readonly terms: LeaseTerms; readonly changed: ChangedLease | undefined },
): number {
  const members = changed?.members ?? terms.members;
  const own = members.flatMap((member, index) =>
    member.agentKey === agentKey && changed?.roster.until[index] !== LEFT ? [index] : [],
  );
  const [index] = own;
  if (index !== undefined && own.length === 1) return index;
  throw new LatentError(
    'LEASE_MISMATCH',
    `Lease ${leaseId} names agent ${agentKey} ${own.length} times; it has to name it once.`,
    { details: { leaseId, agentKey } },
  );
}
