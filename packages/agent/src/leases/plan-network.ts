import {
  type EscrowDomain,
  hashAsk,
  hashResource,
  LatentError,
  LEFT,
  type LeaseId,
  type NetworkPlan,
  type PeerKey,
} from '@latent/protocol';
import { findForCaller, type LeaseDesk } from './lease-desk.ts';
import { type MemberRecord, membersOf, type PlannedNetwork } from './member-record.ts';

/**
 * Takes note of who is in the lease's private network, and brings our end of it up. A repeated plan changes nothing.
 * @throws LatentError LEASE_MISMATCH (the plan names somebody who is not in the lease), NETWORK_UNAVAILABLE, NOT_ALLOWED
 */
export async function planNetwork(
  desk: LeaseDesk,
  caller: PeerKey,
  { leaseId, plan }: { readonly leaseId: LeaseId; readonly plan: NetworkPlan },
): Promise<void> {
  const { context, networks } = desk;
  await desk.lock.run(leaseId, async () => {
    const record = findForCaller(desk, leaseId, caller);
    if (record.network !== undefined && plan.number <= record.network.number) return;
    const refuse = (text: string) => new LatentError('NOT_ALLOWED', text, { details: { leaseId } });
    if (record.network !== undefined) throw refuse('The members of a private network cannot be changed yet.');
    if (record.state !== 'attached') throw refuse(`The member is ${record.state}: a plan comes before the start.`);
    const { ability } = networks;
    if (!ability.usable) throw new LatentError('NETWORK_UNAVAILABLE', `No private network here: ${ability.reason}.`);
    const planned = { ...record, network: checkPlan(context.chain.domain, record, plan) };
    context.members.save(planned);
    await networks.bringUp(planned);
  });
}

/**
 * What a plan comes to for us. Only members of the lease are in it: each rank's ask is one that the lease was made of, and an ask
 * says by which key its agent is reached.
 */
export function checkPlan(domain: EscrowDomain, record: MemberRecord, plan: NetworkPlan): PlannedNetwork {
  const { leaseId, changed } = record;
  const mismatch = (text: string, rank?: number) =>
    new LatentError('LEASE_MISMATCH', text, { details: { leaseId, ...(rank === undefined ? {} : { rank }) } });
  const present = new Set(
    membersOf(record).flatMap(({ ask }, index) => (changed?.roster.until[index] === LEFT ? [] : [ask])),
  );
  const seen = new Set<string>();
  let own: number | undefined;
  const ranks = plan.ranks.map(({ rank, ask, resource }) => {
    const id = hashAsk(domain, ask);
    if (!present.has(id) || seen.has(id)) throw mismatch(`Rank ${rank} of the plan is no member of the lease.`, rank);
    if (hashResource(resource) !== ask.resource) {
      throw mismatch(`The plan shows another resource for rank ${rank} than its ask was signed for.`, rank);
    }
    seen.add(id);
    if (id === record.ask) own = rank;
    return { rank, peerKey: resource.peerKey, hints: resource.hints };
  });
  if (own === undefined) throw mismatch('The plan leaves out this member.');
  return { number: plan.number, rank: own, ranks };
}
