import {
  type ErrorCode,
  type EscrowDomain,
  isErrorCode,
  LatentError,
  type MemberStatus,
  type SignedVoucher,
  toLatentError,
} from '@latent/protocol';
import { type AgentLink, memberStatus, sendVoucher } from '../agents/agent-link.ts';
import { adoptHeld, clusterVouchers } from '../vouchers/cluster-vouchers.ts';
import type { VoucherEngine } from '../vouchers/voucher-engine.ts';
import { type ClusterContext, changeMember } from './cluster-context.ts';
import { clusterLinks } from './cluster-links.ts';
import { type ClusterRecord, isMeteredElsewhere, type MemberView } from './cluster-record.ts';
import { unitsToSign, unitsUntil } from './count-units.ts';

/** Why metering ended. */
export type MeterEnd =
  | { readonly kind: 'stop-requested'; readonly reason: string }
  /** Another meter signs for the cluster now. */
  | { readonly kind: 'handed-over' }
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
/** A meter that looks again only after so many ticks was asleep, with its machine: that members were silent says nothing then. */
const ASLEEP_AFTER_TICKS = 4;
/** How often one agent is asked for the voucher that it says it holds: a liar would hold up the others' vouchers each time. */
const MOST_HELD_ASKS = 3;

/** What metering needs: no account that spends, and of the chain only which one it is. */
export interface MeterContext extends Pick<ClusterContext, 'name' | 'journal' | 'transport' | 'clock' | 'signal'> {
  readonly chain: { readonly domain: EscrowDomain };
}

/**
 * Looks at every member, signs one voucher for all, and hands it to each, until the job is done (and the cluster is to go
 * down with it), somebody asks for the end, the meter is handed over, or a member is lost or failed. A voucher is stored before it
 * is sent, and never smaller than one before it: see `vouchers/voucher-engine.ts`.
 */
export async function meterCluster(context: MeterContext): Promise<MeterEnd> {
  const { clock, journal, name, signal } = context;
  const { terms } = journal.load(name);
  const links = clusterLinks(context.transport, journal.load(name));
  const engine = clusterVouchers(context);
  const prepayMs = terms.order.prepay * 1000;
  const tickMs = Math.min(Math.max(prepayMs / 3, SHORTEST_TICK_MS), LONGEST_TICK_MS);
  // Members are silent for as long as there is no meter; that is not their fault.
  const heldAsks = links.map(() => 0);
  let awakeSinceMs = clock.nowMs();
  let lastTickMs = awakeSinceMs;
  for (;;) {
    signal.throwIfAborted();
    const before = journal.load(name);
    if (before.stopRequested !== null) return { kind: 'stop-requested', reason: before.stopRequested };
    if (isMeteredElsewhere(before)) return { kind: 'handed-over' };
    const comingUp = before.members.some(({ state }) => state === 'attached' || state === 'preparing');
    const tickedMs = clock.nowMs();
    const nextTickMs = tickedMs + (comingUp ? STARTING_TICK_MS : tickMs);
    if (tickedMs > lastTickMs + tickMs * ASLEEP_AFTER_TICKS) awakeSinceMs = tickedMs;
    lastTickMs = tickedMs;
    const limits = { callMs: tickMs, lostAfterMs: prepayMs * LOST_AFTER, awakeSinceMs };
    const covered = await Promise.all(links.map((link, rank) => lookAt(context, before, link, rank, limits)));
    const ahead = links.filter((_, rank) => {
      if ((covered[rank] ?? 0n) <= (before.voucher?.units[rank] ?? 0n)) return false;
      const asks = heldAsks[rank] ?? 0;
      heldAsks[rank] = asks + 1;
      return asks < MOST_HELD_ASKS;
    });
    if (ahead.length > 0) await adoptHeld(context, engine, ahead, tickMs);
    const aheadMs = await signNext(context, engine, tickedMs);
    if (aheadMs === undefined) return { kind: 'handed-over' };
    const record = journal.load(name);
    const failure = firstFailure(record);
    if (failure !== undefined) return { kind: 'failed', error: failure };
    const { voucher } = record;
    if (voucher !== null) {
      const handed = await handToSeen(context, record, voucher, { links, sinceMs: tickedMs, callMs: tickMs });
      noteHanded(context, aheadMs, handed);
    }
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
  /** Since when this meter can hear. */
  readonly awakeSinceMs: number;
}

/** @returns device-seconds that the member says it holds a voucher for; undefined if it did not answer */
async function lookAt(
  context: MeterContext,
  record: ClusterRecord,
  link: AgentLink,
  rank: number,
  limits: Limits,
): Promise<bigint | undefined> {
  const view = record.members[rank];
  if (view === undefined || view.state === 'lost') return undefined;
  try {
    const status = await memberStatus(link, record.leaseId, context.signal, limits.callMs);
    noteStatus(context, rank, view, { status, route: link.transport.routeTo(link.peer.key) });
    return status.coveredUnits;
  } catch (thrown) {
    context.signal.throwIfAborted();
    const error = toLatentError(thrown);
    const silentMs = context.clock.nowMs() - Math.max(view.seenAtMs, limits.awakeSinceMs);
    if (silentMs < limits.lostAfterMs) return undefined;
    changeMember(context, rank, {
      state: 'lost',
      reason: `MEMBER_LOST: no answer for ${Math.round(silentMs / 1000)} s (${error.message})`,
    });
    context.journal.tell(context.name, { kind: 'member', text: `rank ${rank} is lost: ${error.message}` });
    return undefined;
  }
}

function noteStatus(
  context: MeterContext,
  rank: number,
  view: MemberView,
  { status, route }: { readonly status: MemberStatus; readonly route: MemberView['route'] },
): void {
  const nowMs = context.clock.nowMs();
  const begins = status.state === 'running' && view.countedFromMs === 0;
  changeMember(context, rank, {
    state: status.state,
    reason: status.reason ?? null,
    job: status.job,
    // The agent's own start counts unless it lies before we last saw it not running.
    countedFromMs: begins ? Math.min(Math.max(status.startedAtMs, view.seenAtMs), nowMs) : view.countedFromMs,
    seenAtMs: nowMs,
    ...(route === undefined ? {} : { route }),
    deliveredUnits: status.deliveredUnits,
    cpuSeconds: status.cpuSeconds,
    memoryBytes: status.memoryBytes,
    ...(status.network === undefined ? {} : { network: status.network }),
  });
  if (status.job.kind === 'image' && view.job.kind !== 'image') {
    context.journal.tell(context.name, { kind: 'member', text: `rank ${rank} fetches its image` });
  }
  if (begins) context.journal.tell(context.name, { kind: 'member', text: `rank ${rank} is running` });
}

/**
 * Signs what has been counted, and ahead where somebody is going away: for members that have answered since `tickedMs`.
 * @returns up to when was signed ahead, in unix milliseconds, 0 if it was not; undefined if another meter signs for the cluster
 */
async function signNext(context: MeterContext, engine: VoucherEngine, tickedMs: number): Promise<number | undefined> {
  const { terms, members, voucher, offline } = context.journal.load(context.name);
  const nowMs = context.clock.nowMs();
  const untilMs = offline !== undefined && nowMs < offline.untilMs ? offline.untilMs : 0;
  const units = terms.members.map((member, rank) => {
    const view = members[rank];
    const signed = voucher?.units[rank] ?? 0n;
    if (view === undefined) return signed;
    const counted = unitsToSign(member, terms.order, view, signed);
    const ahead = view.seenAtMs >= tickedMs ? unitsUntil(member, terms.order, view, untilMs) : 0n;
    return ahead > counted ? ahead : counted;
  });
  try {
    await engine.sign({ nowMs, units });
    return untilMs;
  } catch (thrown) {
    if (thrown instanceof LatentError && thrown.code === 'CLUSTER_HANDED_OVER') return undefined;
    throw thrown;
  }
}

/**
 * Gives the voucher to every member that has just answered. One that does not arrive is followed by a larger one; a member
 * that gets none any more is seen by `lookAt`.
 * @returns the ranks that took it
 */
async function handToSeen(
  context: MeterContext,
  record: ClusterRecord,
  voucher: SignedVoucher,
  {
    links,
    sinceMs,
    callMs,
  }: Pick<Limits, 'callMs'> & { readonly links: readonly AgentLink[]; readonly sinceMs: number },
): Promise<readonly number[]> {
  const handed = await Promise.all(
    links.map(async (link, rank) => {
      if ((record.members[rank]?.seenAtMs ?? 0) < sinceMs) return [];
      try {
        await sendVoucher(link, voucher, context.signal, callMs);
        return [rank];
      } catch (thrown) {
        context.signal.throwIfAborted();
        const text = `rank ${rank} did not take its voucher: ${toLatentError(thrown).message}`;
        context.journal.tell(context.name, { kind: 'warning', text });
        return [];
      }
    }),
  );
  return handed.flat();
}

/** Who goes away wants to know first who holds the voucher up to the return. */
function noteHanded({ journal, name }: MeterContext, untilMs: number, ranks: readonly number[]): void {
  const asked = journal.load(name).offline;
  if (asked === undefined || asked.untilMs !== untilMs || ranks.every((rank) => asked.handed.includes(rank))) return;
  journal.update(name, (before) => {
    if (before.offline?.untilMs !== untilMs) return before;
    const handed = [...new Set([...before.offline.handed, ...ranks])].sort((a, b) => a - b);
    return { ...before, offline: { untilMs, handed } };
  });
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
        imageErrorIn(view.reason) ?? 'MEMBER_LOST',
        `The agent of rank ${rank} ended its member: ${sentence(view.reason ?? 'it gave no reason')}`,
        { details },
      );
    }
  }
  return undefined;
}

/** Why an image could not be had says more than that a member is lost. */
function imageErrorIn(reason: string | null): ErrorCode | undefined {
  const code = /^(IMAGE_[A-Z_]+): /.exec(reason ?? '')?.[1] ?? '';
  return isErrorCode(code) ? code : undefined;
}

/** Reasons come with and without a full stop. */
function sentence(text: string): string {
  return text.endsWith('.') ? text : `${text}.`;
}
