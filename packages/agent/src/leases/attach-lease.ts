import {
  checkAttach,
  hashOrder,
  LatentError,
  type LeaseId,
  type LeaseTerms,
  type MemberState,
  type PeerKey,
} from '@latent/protocol';
import { readLease } from '@latent/sdk';
import type { Hex } from 'viem';
import type { LeaseDesk } from './lease-desk.ts';
import { attachedRecord } from './member-record.ts';

export interface Attached {
  readonly index: number;
  readonly address: string;
  readonly state: MemberState;
}

/**
 * Takes note of an open lease that names this agent, and of the transport key that may act for it. The meter key may
 * later let another transport key take over, so that a renter can go on from another machine.
 * @throws LatentError LEASE_MISMATCH, LEASE_NOT_ACTIVE, NOT_ALLOWED, CHAIN_UNREACHABLE
 */
export async function attachLease(
  desk: LeaseDesk,
  caller: PeerKey,
  presented: { readonly terms: LeaseTerms; readonly signature: Hex },
): Promise<Attached> {
  const { context } = desk;
  const { terms, signature } = presented;
  const leaseId = hashOrder(context.chain.domain, terms);
  const index = ownIndex(desk, leaseId, terms);
  const { meterKey } = terms.order;
  await checkAttach(context.chain.domain, { leaseId, peerKey: caller, meterKey, signature });
  return desk.lock.run(leaseId, async () => {
    const known = context.members.find(leaseId);
    if (known !== undefined) {
      if (known.peerKey !== caller) context.members.save({ ...known, peerKey: caller });
      return { index, address: context.options.address, state: known.state };
    }
    const openedAt = await openedOnChain(desk, leaseId);
    const member = terms.members[index];
    if (member === undefined) throw new LatentError('LEASE_MISMATCH', `Lease ${leaseId} has no member ${index}.`);
    context.members.save(attachedRecord({ leaseId, index, terms, openedAt, peerKey: caller }));
    context.holds.release(member.ask, terms.order.renter);
    context.logger.info({ leaseId, renter: terms.order.renter, devices: member.devices }, 'lease attached');
    desk.onFreeChanged();
    return { index, address: context.options.address, state: 'attached' };
  });
}

/** No need to check our signature on the ask or our devices: the escrow did both when the lease opened. */
function ownIndex(desk: LeaseDesk, leaseId: LeaseId, terms: LeaseTerms): number {
  const agentKey = desk.context.identity.agent.address;
  const own = terms.members.flatMap((member, index) => (member.agentKey === agentKey ? [index] : []));
  const [index] = own;
  if (index === undefined || own.length > 1) {
    throw new LatentError(
      'LEASE_MISMATCH',
      `Lease ${leaseId} names agent ${agentKey} ${own.length} times; it has to name it once.`,
      {
        details: { leaseId, agentKey },
      },
    );
  }
  return index;
}

async function openedOnChain(desk: LeaseDesk, leaseId: LeaseId): Promise<number> {
  const lease = await readLease(desk.context.chain, leaseId);
  if (lease.state !== 'active' || lease.stopAt !== 0) {
    throw new LatentError(
      'LEASE_NOT_ACTIVE',
      `Lease ${leaseId} is ${lease.state === 'active' ? 'stopped' : lease.state} on chain.`,
      {
        details: { leaseId },
        hint: 'Open it first; a lease that was opened just now is seen with the next block.',
      },
    );
  }
  return lease.openedAt;
}
