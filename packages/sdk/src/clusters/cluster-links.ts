import type { Transport } from '@latent/transport';
import type { AgentLink } from '../agents/agent-link.ts';
import type { ClusterRecord } from './cluster-record.ts';

/** One link per member, in order of ranks. */
export function clusterLinks(transport: Transport, record: Pick<ClusterRecord, 'asks'>): readonly AgentLink[] {
  return record.asks.map(({ resource }) => ({ transport, peer: { key: resource.peerKey, hints: resource.hints } }));
}
