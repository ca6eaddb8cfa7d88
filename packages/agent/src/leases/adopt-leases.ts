import { LEFT, leaseEscrowAbi } from '@latent/protocol';
import { leasesOf, readLease, readRoster, toChainError } from '@latent/sdk';
import type { LeaseDesk } from './lease-desk.ts';
import { attachedRecord, hasLeft, memberOf } from './member-record.ts';

/**
 * Makes a look for leases that the chain says name this agent, and that no renter has presented: its renter may have
 * vanished between opening, or adding it, and starting. They take devices from the market until they end, so they are counted,
 * and left or finalized like any other. Each look goes on where the one before ended.
 */
export function createLeaseAdoption(desk: LeaseDesk): () => Promise<void> {
  const { chain, identity } = desk.context;
  let nextBlock = BigInt(chain.deployment.deployedAtBlock);
  return async () => {
    if ((await devicesInUse(desk)) <= knownDevices(desk)) return;
    const { leases, block } = await leasesOf(chain, identity.agent.address, nextBlock);
    for (const { leaseId, terms } of leases) await adopt(desk, leaseId, terms);
    nextBlock = block + 1n;
  };
}

type Found = Awaited<ReturnType<typeof leasesOf>>['leases'][number];

async function adopt(desk: LeaseDesk, leaseId: Found['leaseId'], terms: Found['terms']): Promise<void> {
  const { context } = desk;
  await desk.lock.run(leaseId, async () => {
    const known = context.members.find(leaseId);
    if (known !== undefined && known.state !== 'settled') return;
    const lease = await readLease(context.chain, leaseId);
    if (lease.state !== 'active') return;
    const changed = lease.changed ? await readRoster(context.chain, leaseId) : undefined;
    const agentKey = context.identity.agent.address;
    const index = (changed?.members ?? terms.members).findIndex(
      (member, place) => member.agentKey === agentKey && changed?.roster.until[place] !== LEFT,
    );
    if (index < 0) return;
    // Nobody can act for it yet: no caller has our own key. The renter takes it over when it presents the lease.
    const { openedAt } = lease;
    const opened = { leaseId, index, terms, openedAt, peerKey: context.identity.peer.key };
    const record = attachedRecord(changed === undefined ? opened : { ...opened, changed });
    context.members.save(record);
    context.holds.release(record.ask, terms.order.renter);
    context.logger.info({ leaseId, renter: terms.order.renter }, 'lease found on chain');
    desk.onFreeChanged();
  });
}

function knownDevices({ context }: LeaseDesk): number {
  const open = context.members.open().filter((record) => !hasLeft(record));
  return open.reduce((sum, record) => sum + memberOf(record).devices, 0);
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
