import { LatentError, type LeaseId, type PeerKey } from '@latent/protocol';
import type { MethodChannel } from '@latent/transport';
import type { LeaseDesk } from './lease-desk.ts';
import type { MemberRecord } from './member-record.ts';

/**
 * Lets another member's agent open its way to us. Only the key that the plan has for that rank may, and only while our member lives.
 * @returns what carries the packets of that rank, over the stream behind the answer, until either side drops it
 * @throws LatentError LEASE_NOT_MINE, the same for an unknown lease, rank or key, so that nothing can be probed;
 *   MEMBER_NOT_STARTED (it has ended, or its network is not up), NOT_ALLOWED (too often, later again)
 */
export async function acceptNetwork(
  { context, networks }: LeaseDesk,
  caller: PeerKey,
  { leaseId, from, to }: { readonly leaseId: LeaseId; readonly from: number; readonly to: number },
): Promise<(channel: MethodChannel) => Promise<void>> {
  const record = context.members.find(leaseId);
  const peer = record?.network?.ranks.find(({ rank }) => rank === from);
  if (record?.network?.rank !== to || from === to || peer?.peerKey !== caller) {
    throw new LatentError('LEASE_NOT_MINE', `This agent has no way to rank ${to} of lease ${leaseId} for the caller.`, {
      details: { leaseId },
    });
  }
  if (!hasNetwork(record)) {
    throw new LatentError('MEMBER_NOT_STARTED', `The member is ${record.state}.`, { details: { leaseId } });
  }
  return networks.accept(leaseId, from);
}

/** Whether a member that was given a plan is to be in its private network now. */
function hasNetwork({ state, network }: Pick<MemberRecord, 'state' | 'network'>): boolean {
  return network !== undefined && (state === 'attached' || state === 'preparing' || state === 'running');
}
