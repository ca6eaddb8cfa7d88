import { hashOrder, type LeaseId, type LeaseTerms, leaseEscrowAbi, leaseIdSchema } from '@latent/protocol';
import { type Address, isAddressEqual } from 'viem';
import { toChainError } from '../chain/chain-error.ts';
import type { ChainClient } from '../chain/connect-chain.ts';
import { leaseHistory } from './lease-history.ts';
import { type OpenedLeases, openedLeases } from './opened-leases.ts';

/**
 * Every lease that an agent was taken into from block `fromBlock` on: when it was opened, or added to one that runs. Only
 * those whose id follows from their terms.
 * @throws LatentError CHAIN_UNREACHABLE
 */
export async function leasesOf(client: ChainClient, agentKey: Address, fromBlock: bigint): Promise<OpenedLeases> {
  const { leases: opened, block } = await openedLeases(client, fromBlock);
  const own = opened.filter(({ terms }) => terms.members.some((member) => isAddressEqual(member.agentKey, agentKey)));
  const addedTo = fromBlock > block ? [] : await addedLeases(client, agentKey, { fromBlock, toBlock: block });
  const known = new Set(own.map(({ leaseId }) => leaseId));
  const joined: { readonly leaseId: LeaseId; readonly terms: LeaseTerms }[] = [...own];
  for (const leaseId of addedTo) {
    if (known.has(leaseId)) continue;
    const { terms } = await leaseHistory(client, leaseId);
    if (terms !== undefined) joined.push({ leaseId, terms });
    known.add(leaseId);
  }
  return { leases: joined.filter(({ leaseId, terms }) => hashOrder(client.domain, terms) === leaseId), block };
}

async function addedLeases(
  client: ChainClient,
  agentKey: Address,
  range: { readonly fromBlock: bigint; readonly toBlock: bigint },
): Promise<readonly LeaseId[]> {
  try {
    const events = await client.public.getContractEvents({
      abi: leaseEscrowAbi,
      address: client.deployment.escrow,
      eventName: 'Changed',
      ...range,
      strict: true,
    });
    const ours = events.filter(({ args }) => args.added.some((member) => isAddressEqual(member.agentKey, agentKey)));
    return ours.map(({ args }) => leaseIdSchema.parse(args.leaseId));
  } catch (thrown) {
    throw toChainError(thrown);
  }
}
