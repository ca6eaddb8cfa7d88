import { leaseEscrowAbi } from '@latent/protocol';
import { openedLeases, readLease, toChainError } from '@latent/sdk';
import type { LeaseDesk } from './lease-desk.ts';
import { attachedRecord } from './member-record.ts';

/**
 * Makes a look for leases that the chain says name this agent, and that no renter has presented: its renter may have
 * vanished between opening and starting. They take devices from the market until they end, so they are counted, and
 * finalized like any other. Each look goes on where the one before ended.
 */
export function createLeaseAdoption(desk: LeaseDesk): () => Promise<void> {
  const { chain } = desk.context;
  let nextBlock = BigInt(chain.deployment.deployedAtBlock);
  return async () => {
    if ((await devicesInUse(desk)) <= knownDevices(desk)) return;
    const { leases, block } = await openedLeases(chain, nextBlock);
    for (const { leaseId, terms } of leases) await adopt(desk, leaseId, terms);
    nextBlock = block + 1n;
  };
}

type Opened = Awaited<ReturnType<typeof openedLeases>>['leases'][number];

async function adopt(desk: LeaseDesk, leaseId: Opened['leaseId'], terms: Opened['terms']): Promise<void> {
  const { context } = desk;
  const index = terms.members.findIndex(({ agentKey }) => agentKey === context.identity.agent.address);
  const member = terms.members[index];
  if (member === undefined) return;
  await desk.lock.run(leaseId, async () => {
    if (context.members.find(leaseId) !== undefined) return;
    const lease = await readLease(context.chain, leaseId);
    if (lease.state !== 'active') return;
    // Nobody can act for it yet: no caller has our own key. The renter takes it over when it presents the lease.
    const { openedAt } = lease;
    context.members.save(attachedRecord({ leaseId, index, terms, openedAt, peerKey: context.identity.peer.key }));
    context.holds.release(member.ask, terms.order.renter);
    context.logger.info({ leaseId, renter: terms.order.renter }, 'lease found on chain');
    desk.onFreeChanged();
  });
}

function knownDevices({ context }: LeaseDesk): number {
  return context.members.open().reduce((sum, { terms, index }) => sum + (terms.members[index]?.devices ?? 0), 0);
}

async function devicesInUse({ context: { chain, identity } }: LeaseDesk): Promise<number> {
  try {
    const inUse = await chain.public.readContract({
      address: chain.deployment.escrow,
      abi: leaseEscrowAbi,
      functionName: 'devicesInUse',
      args: [identity.agent.address],
    });
    return Number(inUse);
  } catch (thrown) {
    throw toChainError(thrown);
  }
}
