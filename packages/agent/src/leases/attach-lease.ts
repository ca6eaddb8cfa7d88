import {
  type ChangedLease,
  checkAttach,
  hashOrder,
  LatentError,
  type LeaseId,
  type LeaseTerms,
  type MemberState,
  type NetworkAbility,
  type PeerKey,
} from '@latent/protocol';
import { readLease, readRoster } from '@latent/sdk';
import type { Hex } from 'viem';
import type { LeaseDesk } from './lease-desk.ts';
import { attachedRecord, memberOf } from './member-record.ts';
import { ownPlace } from './own-place.ts';

export interface Attached {
  readonly index: number;
  readonly address: string;
  readonly state: MemberState;
  readonly network: NetworkAbility;
}

/**
 * Takes note of an open lease that names this agent, and of the transport key that may act for it. The meter key may
 * later let another transport key take over, so that a renter can go on from another machine.
 * What the lease is follows from its terms alone, and from what the escrow recorded when it was changed: nothing that is
 * presented beside that is believed.
 * @throws LatentError LEASE_MISMATCH, LEASE_NOT_ACTIVE, NOT_ALLOWED, CHAIN_UNREACHABLE
 */
export async function attachLease(
  desk: LeaseDesk,
  caller: PeerKey,
  presented: {
    readonly terms: LeaseTerms;
    readonly changed?: ChangedLease | undefined;
    readonly signature: Hex;
  },
): Promise<Attached> {
  const { context } = desk;
  const { terms, signature } = presented;
  const leaseId = hashOrder(context.chain.domain, terms);
  const agentKey = context.identity.agent.address;
  // Before the chain is asked: whom nothing names here gets no work out of us.
  ownPlace(agentKey, leaseId, { terms, changed: presented.changed });
  const { meterKey } = terms.order;
  await checkAttach(context.chain.domain, { leaseId, peerKey: caller, meterKey, signature });
  const own = { address: context.options.address, network: desk.networks.ability };
  return desk.lock.run(leaseId, async () => {
    const known = context.members.find(leaseId);
    if (known !== undefined && known.state !== 'settled') {
      if (known.peerKey !== caller) context.members.save({ ...known, peerKey: caller });
      return { ...own, index: known.index, state: known.state };
    }
    const { openedAt, changed } = await openedOnChain(desk, leaseId, presented.changed);
    const index = ownPlace(agentKey, leaseId, { terms, changed });
    const opened = { leaseId, index, terms, openedAt, peerKey: caller };
    const record = attachedRecord(changed === undefined ? opened : { ...opened, changed });
    context.members.save(record);
    context.holds.release(record.ask, terms.order.renter);
    const { devices } = memberOf(record);
    context.logger.info({ leaseId, renter: terms.order.renter, devices }, 'lease attached');
    desk.onFreeChanged();
    return { ...own, index, state: 'attached' };
  });
}

async function openedOnChain(
  desk: LeaseDesk,
  leaseId: LeaseId,
  presented: ChangedLease | undefined,
): Promise<{ readonly openedAt: number; readonly changed: ChangedLease | undefined }> {
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
  const changed = lease.changed ? await readRoster(desk.context.chain, leaseId, [presented]) : undefined;
  return { openedAt: lease.openedAt, changed };
}
