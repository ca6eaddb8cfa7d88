import { relayUnitsDown, type SignedClose, signClose } from '@latent/protocol';
import type { PaidLease } from './paid-leases.ts';
import type { RelayContext } from './relay-context.ts';

/**
 * Ends a lease here, and signs what is claimed for it: whole units of what was relayed. One claim for each lease; it is on the disk
 * when this resolves. Nothing is relayed for the lease from the call on.
 */
export async function claimLease(
  { account, domain, leases, logger }: Pick<RelayContext, 'account' | 'domain' | 'leases' | 'logger'>,
  lease: PaidLease,
): Promise<SignedClose> {
  if (lease.claim !== null) return lease.claim;
  lease.isEnding = true;
  const { leaseId } = lease;
  const units = relayUnitsDown(lease.usedBytes);
  const claim = await signClose(account, domain, { leaseId, member: 0, units });
  if (lease.claim !== null) return lease.claim;
  lease.claim = claim;
  try {
    leases.keep(lease);
  } catch (thrown) {
    lease.claim = null;
    throw thrown;
  }
  logger.info({ leaseId, units: units.toString() }, 'claimed a lease that paid for relaying');
  return claim;
}
