import { LatentError, LEFT, recoverClose, type SignedClose, toLatentError } from '@latent/protocol';
import { claimMember } from '../agents/agent-link.ts';
import { fetchFiles } from '../agents/fetch-files.ts';
import { closeLease, stopLease } from '../leases/end-lease.ts';
import { leaseHistory } from '../leases/lease-history.ts';
import { readLease } from '../leases/read-lease.ts';
import { adoptHeld, clusterVouchers } from '../vouchers/cluster-vouchers.ts';
import { attachRank } from './attach-rank.ts';
import { type ClusterContext, changeMember, toPhase, waitingForChain } from './cluster-context.ts';
import { clusterLinks } from './cluster-links.ts';
import type { ClusterRecord } from './cluster-record.ts';

/** Outputs beyond this are left behind, with a warning. */
const MAX_OUTPUT_BYTES = 1024 * 1024 * 1024;
/** How long an agent that claims more than was signed here may take to show the voucher. */
const HELD_TIMEOUT_MS = 5_000;

/**
 * Saves the job's outputs of every rank that has them, once; `outputsFolder` is empty then if there were none. What is missing
 * is told, not fatal: not every rank writes all.
 */
export async function saveClusterOutputs(context: ClusterContext): Promise<void> {
  const { journal, name, signal } = context;
  const record = journal.load(name);
  if (record.outputsFolder !== null) return;
  const links = record.job.outputs.length === 0 ? [] : clusterLinks(context.transport, record);
  let outputsFolder = '';
  for (const [rank, link] of links.entries()) {
    try {
      const archive = fetchFiles(link, record.leaseId, record.job.outputs, { signal, maxBytes: MAX_OUTPUT_BYTES });
      outputsFolder = await context.saveOutputs(rank, archive);
      journal.tell(name, { kind: 'files', text: `outputs of rank ${rank} are in ${outputsFolder}` });
    } catch (thrown) {
      signal.throwIfAborted();
      const error = toLatentError(thrown);
      if (error.code !== 'JOB_FILE_INVALID')
        journal.tell(name, { kind: 'warning', text: `no outputs of rank ${rank}: ${error.message}` });
    }
  }
  // Only now: a meter that is killed before this fetches them all again.
  journal.update(name, (before) => ({ ...before, outputsFolder }));
}

/**
 * Ends the cluster: every member stops and signs its claim, and one transaction pays, takes the fee and refunds. If a
 * member does not sign, the lease is stopped instead and the rest comes back after the closing window.
 */
export async function endCluster(context: ClusterContext): Promise<ClusterRecord> {
  const { journal, name } = context;
  const record = journal.load(name);
  const lease = await waitingForChain(context, () => readLease(context.chain, record.leaseId));
  if (lease.state !== 'active') return toPhase(context, 'ended', 'the lease is closed');
  const claims = await collectClaims(context, record);
  if (await tryClose(context, journal.load(name), claims)) {
    return toPhase(context, 'ended', 'the lease is closed and paid');
  }
  if (lease.stopAt === 0) {
    const stopped = await waitingForChain(context, () => stopLease(context.chain, context.renter, record.terms));
    noteTransaction(context, 'stop', stopped.hash);
  }
  const minutes = Math.ceil(record.terms.order.closeWindow / 60);
  return toPhase(
    context,
    'awaiting-window',
    `the lease is stopped; what is not paid comes back after the closing window of ${minutes} min`,
  );
}

async function collectClaims(
  context: ClusterContext,
  record: ClusterRecord,
): Promise<readonly (SignedClose | undefined)[]> {
  const { clock, journal, name, signal } = context;
  return Promise.all(
    clusterLinks(context.transport, record).map(async (link, rank) => {
      try {
        // An end that comes before the start: the agent has not even heard of the lease.
        if (record.members[rank]?.state === 'unknown') await attachRank(context, record, rank);
        const claim = await claimMember(link, record.leaseId, signal);
        await checkClaim(context, record, rank, claim);
        changeMember(context, rank, { state: 'closed', seenAtMs: clock.nowMs(), deliveredUnits: claim.units });
        return claim;
      } catch (thrown) {
        signal.throwIfAborted();
        const error = toLatentError(thrown);
        journal.tell(name, { kind: 'warning', text: `rank ${rank} did not sign its claim: ${error.message}` });
        return undefined;
      }
    }),
  );
}

async function checkClaim(
  context: ClusterContext,
  record: ClusterRecord,
  rank: number,
  claim: SignedClose,
): Promise<void> {
  const agentKey = record.terms.members[rank]?.agentKey;
  const isOwn = claim.leaseId === record.leaseId && claim.member === rank;
  if (!isOwn || (await recoverClose(context.chain.domain, claim)) !== agentKey) {
    throw new LatentError('LEASE_NOT_SETTLED', 'the agent signed a claim for something else');
  }
  const covered = () => context.journal.load(context.name).voucher?.units[rank] ?? 0n;
  const link = clusterLinks(context.transport, record)[rank];
  // Signed by another meter, or forgotten with an old copy of the record: the agent can show it.
  if (claim.units > covered() && link !== undefined) {
    await adoptHeld(context, clusterVouchers(context), [link], HELD_TIMEOUT_MS);
  }
  if (claim.units > covered())
    throw new LatentError('LEASE_NOT_SETTLED', `it claims ${claim.units} device-seconds; ${covered()} were signed for`);
}

/** Somebody may pay the lease, or leave it, between our look and our transaction: then it is tried once more. */
const CLOSE_TRIES = 2;

/** @param claims one per rank, in order; undefined where it was not signed, which does no harm for a member that has left */
async function tryClose(
  context: ClusterContext,
  record: ClusterRecord,
  claims: readonly (SignedClose | undefined)[],
): Promise<boolean> {
  const { chain, journal, name } = context;
  for (let tries = 1; ; tries += 1) {
    try {
      const { paidUnits, changed } = await waitingForChain(context, () => leaseHistory(chain, record.leaseId));
      const closes = claims.map((claim, rank) => (changed?.roster.until[rank] === LEFT ? undefined : claim));
      if (closes.some((close, rank) => close === undefined && changed?.roster.until[rank] !== LEFT)) return false;
      const { terms, voucher } = record;
      const row = { account: context.renter, terms, changed, paidUnits, voucher: voucher ?? undefined };
      const sent = await waitingForChain(context, () => closeLease(chain, { ...row, closes }));
      noteTransaction(context, 'close', sent.hash);
      return true;
    } catch (thrown) {
      const error = toLatentError(thrown);
      if (error.code !== 'LEASE_NOT_SETTLED' && error.code !== 'CHAIN_REVERTED') throw error;
      // A close that was sent before the chain fell silent, or by a meter that was killed, may have been mined meanwhile.
      const { state } = await waitingForChain(context, () => readLease(chain, record.leaseId));
      if (state === 'closed') return true;
      if (error.code === 'LEASE_NOT_SETTLED' && tries < CLOSE_TRIES) continue;
      journal.tell(name, { kind: 'warning', text: `closing together failed: ${error.message}` });
      return false;
    }
  }
}

function noteTransaction({ journal, name }: ClusterContext, kind: string, hash: `0x${string}`): void {
  journal.update(name, (before) => ({ ...before, transactions: [...before.transactions, { kind, hash }] }));
  journal.tell(name, { kind: 'transaction', text: `${kind}: ${hash}` });
}
