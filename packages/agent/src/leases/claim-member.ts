import { LatentError, type LeaseId, type SignedClose, signClose } from '@latent/protocol';
import { type LeaseDesk, saveMoved } from './lease-desk.ts';
import { claimableUnits } from './metering.ts';
import { stopMember } from './stop-member.ts';

/**
 * Stops the member and signs what it claims. One claim per lease: a second call answers with the first.
 * @throws LatentError LEASE_NOT_MINE
 */
export async function claimMember(desk: LeaseDesk, leaseId: LeaseId, reason: string): Promise<SignedClose> {
  const { context } = desk;
  await stopMember(desk, leaseId, reason);
  return desk.lock.run(leaseId, async () => {
    const record = context.members.find(leaseId);
    if (record === undefined) throw new LatentError('LEASE_NOT_MINE', `This agent has no lease ${leaseId}.`);
    if (record.claim !== null) return record.claim;
    const claim = await signClose(context.identity.agent, context.chain.domain, {
      leaseId,
      member: record.index,
      units: claimableUnits(record),
    });
    if (record.state === 'stopped') saveMoved(desk, record, 'closed', { claim });
    return claim;
  });
}
