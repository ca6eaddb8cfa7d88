import { LatentError, type NetworkAbility, signAttach } from '@latent/protocol';
import { attachMember } from '../agents/agent-link.ts';
import { type ClusterContext, changeMember, meterAccount, waitingForChain } from './cluster-context.ts';
import { clusterLinks } from './cluster-links.ts';
import type { ClusterRecord } from './cluster-record.ts';

export interface AttachedRank {
  /** Where the other ranks reach it, if they are in no private network. */
  readonly address: string;
  /** Whether it can be in one. */
  readonly network: NetworkAbility;
}

/**
 * Presents the open lease to the agent of a rank; only then the agent knows of it, and can sign what it claims. Repeatable.
 * @throws LatentError LEASE_MISMATCH (the agent takes itself for another member), and those of `attachMember`
 */
export async function attachRank(context: ClusterContext, record: ClusterRecord, rank: number): Promise<AttachedRank> {
  const { chain, transport, clock, signal } = context;
  const link = clusterLinks(transport, record)[rank];
  if (link === undefined) throw new LatentError('INTERNAL', `Cluster ${record.name} has no rank ${rank}.`);
  const signature = await signAttach(meterAccount(record), chain.domain, record.leaseId, transport.key);
  const presented = { terms: record.terms, signature };
  // The agent looks the lease up on chain: where its chain is down, it is asked again.
  const { index, address, network } = await waitingForChain(context, () => attachMember(link, presented, signal));
  if (index !== rank) {
    throw new LatentError('LEASE_MISMATCH', `The agent of rank ${rank} says that it is member ${index}.`);
  }
  changeMember(context, rank, { state: 'attached', address, seenAtMs: clock.nowMs() });
  return { address, network };
}
