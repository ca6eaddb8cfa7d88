import { LatentError, type MemberStatus, type SignedVoucher, signVoucher, toLatentError } from '@latent/protocol';
import { type AgentLink, memberStatus, sendVoucher } from '../agents/agent-link.ts';
import { type ClusterContext, changeMember, meterAccount } from './cluster-context.ts';
import { clusterLinks } from './cluster-links.ts';
import type { ClusterRecord, MemberView } from './cluster-record.ts';
import { unitsToSign } from './count-units.ts';

/** Why metering ended. */
export type MeterEnd =
  | { readonly kind: 'stop-requested'; readonly reason: string }
  | { readonly kind: 'job-done' }
  | { readonly kind: 'failed'; readonly error: LatentError };

/** A tick is a third of the prepay, so that one lost voucher costs nothing; within these bounds. */
const SHORTEST_TICK_MS = 500;
const LONGEST_TICK_MS = 5_000;
/** Between two ticks, also where calls have taken longer than one. */
const SHORTEST_PAUSE_MS = 100;
/** While members are coming up: each starts when it is ready, and is to be seen soon after. */
const STARTING_TICK_MS = 300;
/**
 * A member that has not answered for so many prepays is lost. Nothing is signed for it meanwhile, so the wait costs what the
 * others are paid; it is what an agent has to come back in after a crash.
 */
const LOST_AFTER = 1.5;

/**
 * Looks at every member, signs one voucher for all, and hands it to each, until the job is done (and the cluster is to go
 * down with it), somebody asks for the end, or a member is lost or failed. A voucher is stored before it is sent.
 */
export async function meterCluster(context: ClusterContext): Promise<MeterEnd> {
  const { clock, journal, name, signal } = context;
  const { terms } = journal.load(name);
  const links = clusterLinks(context.transport, journal.load(name));
  const prepayMs = terms.order.prepay * 1000;
  const tickMs = Math.min(Math.max(prepayMs / 3, SHORTEST_TICK_MS), LONGEST_TICK_MS);
  // Members are silent for as long as there is no meter; that is not their fault.
  const limits = { callMs: tickMs, lostAfterMs: prepayMs * LOST_AFTER, startedMs: clock.nowMs() };
  for (;;) {
    signal.throwIfAborted();
    const before = journal.load(name);
    if (before.stopRequested !== null) return { kind: 'stop-requested', reason: before.stopRequested };
    const comingUp = before.members.some(({ state }) => state === 'attached' || state === 'preparing');
    const tickedMs = clock.nowMs();
    const nextTickMs = tickedMs + (comingUp ? STARTING_TICK_MS : tickMs);
    await Promise.all(links.map((link, rank) => lookAt(context, before, link, rank, limits)));
    const record = await signNext(context, journal.load(name));
    const failure = firstFailure(record);
    if (failure !== undefined) return { kind: 'failed', error: failure };
    const { voucher } = record;
    if (voucher !== null) await handToSeen(context, record, voucher, { links, sinceMs: tickedMs, ...limits });
    const isNews = record.downWhenDone || record.outputsFolder === null;
    if (isNews && record.members.every(({ job }) => job.kind === 'exited')) {
      journal.tell(name, { kind: 'phase', text: 'the job has ended on every rank' });
      return { kind: 'job-done' };
    }
    await clock.sleep(Math.max(SHORTEST_PAUSE_MS, nextTickMs - clock.nowMs()), { signal });
  }
}

interface Limits {
  /** No call takes longer, so that a member that hangs does not hold up the vouchers of the others. */
  readonly callMs: number;
  readonly lostAfterMs: number;
  /** When this meter began. */
  readonly startedMs: number;
}

async function lookAt(
  context: ClusterContext,
  record: ClusterRecord,
  link: AgentLink,
  rank: number,
  limits: Limits,
): Promise<void> {
  const view = record.members[rank];
  if (view === undefined || view.state === 'lost') return;
  try {
    const status = await memberStatus(link, record.leaseId, context.signal, limits.callMs);
    noteStatus(context, rank, view, status);
  } catch (thrown) {
    context.signal.throwIfAborted();
    const error = toLatentError(thrown);
    const silentMs = context.clock.nowMs() - Math.max(view.seenAtMs, limits.startedMs);
    if (silentMs < limits.lostAfterMs) return;
    changeMember(context, rank, {
      state: 'lost',
      reason: `MEMBER_LOST: no answer for ${Math.round(silentMs / 1000)} s (${error.message})`,
    });
    context.journal.tell(context.name, { kind: 'member', text: `rank ${rank} is lost: ${error.message}` });
  }
}

function noteStatus(context: ClusterContext, rank: number, view: MemberView, status: MemberStatus): void {
  const nowMs = context.clock.nowMs();
  const begins = status.state === 'running' && view.countedFromMs === 0;
  changeMember(context, rank, {
    state: status.state,
    reason: status.reason ?? null,
    job: status.job,
    // The agent's own start counts unless it lies before we last saw it not running.
    countedFromMs: begins ? Math.min(Math.max(status.startedAtMs, view.seenAtMs), nowMs) : view.countedFromMs,
    seenAtMs: nowMs,
    deliveredUnits: status.deliveredUnits,
    cpuSeconds: status.cpuSeconds,
    memoryBytes: status.memoryBytes,
  });
  if (begins) context.journal.tell(context.name, { kind: 'member', text: `rank ${rank} is running` });
}

async function signNext(context: ClusterContext, record: ClusterRecord): Promise<ClusterRecord> {
  const { order, members } = record.terms;
  const units = members.map((member, rank) => {
    const view = record.members[rank];
    const signed = record.voucher?.units[rank] ?? 0n;
    return view === undefined ? signed : unitsToSign(member, order, view, signed);
  });
  if (units.every((amount, rank) => amount === record.voucher?.units[rank])) return record;
  const voucher = await signVoucher(meterAccount(record), context.chain.domain, {
    leaseId: record.leaseId,
    units,
    accrueFrom: members.map(() => 0),
  });
  return context.journal.update(context.name, (before) => ({ ...before, voucher }));
}

/**
 * Gives the voucher to every member that has just answered. One that does not arrive is followed by a larger one; a member
 * that gets none any more is seen by `lookAt`.
 */
async function handToSeen(
  context: ClusterContext,
  record: ClusterRecord,
  voucher: SignedVoucher,
  { links, sinceMs, callMs }: Limits & { readonly links: readonly AgentLink[]; readonly sinceMs: number },
): Promise<void> {
  await Promise.all(
    links.map(async (link, rank) => {
      if ((record.members[rank]?.seenAtMs ?? 0) < sinceMs) return;
      try {
        await sendVoucher(link, voucher, context.signal, callMs);
      } catch (thrown) {
        context.signal.throwIfAborted();
        const text = `rank ${rank} did not take its voucher: ${toLatentError(thrown).message}`;
        context.journal.tell(context.name, { kind: 'warning', text });
      }
    }),
  );
}

function firstFailure(record: ClusterRecord): LatentError | undefined {
  for (const [rank, view] of record.members.entries()) {
    const details = { rank, leaseId: record.leaseId };
    if (view.state === 'lost') {
      return new LatentError('MEMBER_LOST', `Rank ${rank} was lost: ${sentence(view.reason ?? 'it does not answer')}`, {
        details,
        hint: 'No second after it fell silent is paid. Launch again: other machines will be taken.',
      });
    }
    if (view.job.kind === 'exited' && view.job.code !== 0) {
      return new LatentError(
        'MEMBER_FAILED',
        `The job ended with exit status ${view.job.code} on rank ${rank}${view.job.reason === undefined ? '' : ` (${view.job.reason})`}.`,
        {
          details: { ...details, exitCode: view.job.code },
          hint: `See what it printed: latent logs ${record.name} --rank ${rank}`,
        },
      );
    }
    if (view.state === 'stopped' || view.state === 'closed' || view.state === 'settled') {
      return new LatentError(
        'MEMBER_LOST',
        `The agent of rank ${rank} ended its member: ${sentence(view.reason ?? 'it gave no reason')}`,
        { details },
      );
    }
  }
  return undefined;
}

/** Reasons come with and without a full stop. */
function sentence(text: string): string {
  return text.endsWith('.') ? text : `${text}.`;
}
