import { LatentError, networkAddress } from '@latent/protocol';
import { type AgentLink, planNetwork } from '../agents/agent-link.ts';
import type { AttachedRank } from './attach-rank.ts';
import { type ClusterContext, changeMember } from './cluster-context.ts';
import type { ClusterRecord } from './cluster-record.ts';

/** Members do not change yet, so there is one plan. */
const FIRST_PLAN = 1;

/**
 * Decides whether the ranks are in a private network: if the job wants one and every member can be in it. Decided once: a meter
 * that is killed and started again finds the same.
 * @throws LatentError NETWORK_UNAVAILABLE where the job file insists on one
 */
export function decideNetwork(
  { journal, name }: Pick<ClusterContext, 'journal' | 'name'>,
  record: ClusterRecord,
  attached: readonly AttachedRank[],
): boolean {
  if (record.isPrivate !== undefined) return record.isPrivate;
  const isWanted = record.job.network !== 'host';
  const obstacle = attached
    .map(({ network }, rank) => (network.usable ? undefined : `rank ${rank} cannot be in one (${network.reason})`))
    .find((text) => text !== undefined);
  if (isWanted && obstacle !== undefined) {
    if (record.job.network === 'private') {
      throw new LatentError('NETWORK_UNAVAILABLE', `There is no private network for this cluster: ${obstacle}.`, {
        hint: 'Take config.latent.network out of the job file to run without one, or exclude that operator.',
      });
    }
    const text = `the ranks are not in a private network: ${obstacle}. They run in the networks of their machines, and what they send each other goes as the job sends it`;
    journal.tell(name, { kind: 'warning', text });
  }
  const isPrivate = isWanted && obstacle === undefined;
  if (isPrivate) {
    const text = `${tellEgress(attached)}; of the networks of their machines they reach nothing`;
    journal.tell(name, { kind: 'member', text });
  }
  journal.update(name, (before) => ({ ...before, isPrivate }));
  return isPrivate;
}

function tellEgress(attached: readonly AttachedRank[]): string {
  const without = attached.flatMap(({ network }, rank) => {
    if (network.usable && network.egress?.usable === true) return [];
    const reason =
      network.usable && network.egress?.usable === false ? network.egress.reason : 'its agent has no way out';
    return [`rank ${rank} (${reason})`];
  });
  if (without.length === 0) return 'the ranks reach the internet';
  return `no internet for ${without.slice(0, 4).join(', ')}${without.length > 4 ? ` and ${without.length - 4} more` : ''}`;
}

/** Tells every member who is in the private network; each brings its own end up. Repeatable. */
export async function planPrivateNetwork(
  context: ClusterContext,
  record: ClusterRecord,
  links: readonly AgentLink[],
): Promise<void> {
  const ranks = record.asks.map(({ ask, resource }, rank) => ({ rank, ask, resource }));
  const plan = { number: FIRST_PLAN, ranks };
  await Promise.all(
    links.map(async (link, rank) => {
      await planNetwork(link, { leaseId: record.leaseId, plan }, context.signal);
      changeMember(context, rank, { address: networkAddress(rank) });
    }),
  );
  const last = links.length - 1;
  const text = `the ranks are in a private network, ${networkAddress(0)}${last === 0 ? '' : ` to ${networkAddress(last)}`}`;
  context.journal.tell(context.name, { kind: 'member', text });
}
