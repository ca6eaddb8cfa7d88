import { type ChangedLease, hashRoster, LatentError, type LeaseId } from '@latent/protocol';
import { zeroHash } from 'viem';
import type { ChainClient } from '../chain/connect-chain.ts';
import { readRosterHash } from '../chain/read-escrow.ts';
import { leaseHistory } from './lease-history.ts';

/**
 * What an open lease was changed to, held to what the escrow recorded; undefined if it never was, or is closed.
 * @param candidates what it may be: looked at before the chain's log is asked
 * @throws LatentError LEASE_MISMATCH (later: the log does not show yet what the escrow has recorded), CHAIN_UNREACHABLE
 */
export async function readRoster(
  client: ChainClient,
  leaseId: LeaseId,
  candidates: readonly (ChangedLease | undefined)[] = [],
): Promise<ChangedLease | undefined> {
  const recorded = await readRosterHash(client, leaseId);
  if (recorded === zeroHash) return undefined;
  const isRecorded = (lease: ChangedLease | undefined) => lease !== undefined && hashRoster(lease) === recorded;
  const known = candidates.find(isRecorded);
  if (known !== undefined) return known;
  const { changed } = await leaseHistory(client, leaseId);
  if (isRecorded(changed)) return changed;
  throw new LatentError('LEASE_MISMATCH', `The chain's log of lease ${leaseId} is not what its escrow has recorded.`, {
    retry: 'later',
    details: { leaseId, recorded },
    hint: 'Its newest change may not be in the log yet; look again.',
  });
}
