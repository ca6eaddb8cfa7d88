import { type LeaseId, toLatentError } from '@latent/protocol';
import { finalizeLease, type LeaseOnChain, leaseHistory, readChainTime, readLease } from '@latent/sdk';
import { createLeaseAdoption } from './adopt-leases.ts';
import { claimMember } from './claim-member.ts';
import { followRoster } from './follow-roster.ts';
import { jobFolders, removeJobFolders } from './job-folders.ts';
import { type LeaseDesk, saveMoved } from './lease-desk.ts';
import { leaveMember } from './leave-member.ts';
import { dismissedAtSeconds, hasLeft, leaseEndSeconds, type MemberRecord, startedSteps } from './member-record.ts';

/** How often the chain is asked about open leases. */
const FOLLOW_INTERVAL_MS = 2_000;
/** Members take turns at leaving and finalizing: two at once would spoil each other's calls. */
const TURN_SECONDS = 4;

/** A renter that has a lease opened and starts nothing for so long has vanished; by the chain's clock. */
const START_PATIENCE_SECONDS = 900;

/**
 * Watches the chain's side of every open lease: takes note of what was changed, ends what was stopped or dismissed there, leaves
 * when the renter does not close, finalizes where a window has passed, and forgets what is settled. A chain that is down is
 * asked again later.
 * @returns when the agent ends, or when the operator wants to leave everything (`options.leaving`) and nothing is left
 */
export async function followLeases(desk: LeaseDesk): Promise<void> {
  const { context } = desk;
  const adoptLeases = createLeaseAdoption(desk);
  const endedSinceMs = new Map<LeaseId, number>();
  const warn = (fields: Record<string, string>) => (thrown: unknown) => {
    const { code, message } = toLatentError(thrown);
    context.logger.warn({ ...fields, code, error: message }, 'could not follow the chain; trying again');
  };
  while (!context.signal.aborted) {
    const isComplete = await adoptLeases().then(() => true, warn({}));
    for (const record of context.members.open()) {
      await followLease(desk, record, endedSinceMs).catch(warn({ leaseId: record.leaseId }));
    }
    if (context.options.leaving && isComplete === true && context.members.open().length === 0) return;
    await context.clock.sleep(FOLLOW_INTERVAL_MS, { signal: context.signal }).catch(() => undefined);
  }
}

/** @param endedSinceMs when this life of the agent first saw that a member has ended: from then on its renter may close */
async function followLease(desk: LeaseDesk, seen: MemberRecord, endedSinceMs: Map<LeaseId, number>): Promise<void> {
  const { chain, clock, options } = desk.context;
  const { leaseId } = seen;
  const [lease, chainSeconds] = await Promise.all([readLease(chain, leaseId), readChainTime(chain)]);
  if (lease.state === 'closed') return settle(desk, seen);
  const record = lease.changed ? ((await followRoster(desk, leaseId)) ?? seen) : seen;
  if (hasLeft(record)) return settle(desk, record);
  const why = endReason(record, lease, chainSeconds, options.leaving);
  if (why !== undefined && record.state !== 'closed') {
    await claimMember(desk, leaseId, why);
    if (!options.leaving) return;
  }
  if (why === undefined && record.state !== 'stopped' && record.state !== 'closed') return;
  const sinceMs = endedSinceMs.get(leaseId) ?? clock.nowMs();
  endedSinceMs.set(leaseId, sinceMs);
  const isOut = await endAlone(desk, record, { lease, chainSeconds, sinceMs });
  if (isOut) endedSinceMs.delete(leaseId);
}

/** Why our part has to end now, or undefined if it may go on. */
function endReason(
  record: MemberRecord,
  lease: LeaseOnChain,
  chainSeconds: number,
  leaving: boolean,
): string | undefined {
  if (leaving) return 'LEASE_NOT_ACTIVE: the operator has ended its part';
  if (lease.stopAt !== 0 && chainSeconds >= lease.stopAt) return 'LEASE_NOT_ACTIVE: the renter stopped it';
  const dismissed = dismissedAtSeconds(record);
  if (dismissed !== undefined && chainSeconds >= dismissed) return 'LEASE_NOT_ACTIVE: the renter dismissed this member';
  if (chainSeconds >= leaseEndSeconds(record)) return 'LEASE_NOT_ACTIVE: it has reached its end';
  const from = record.changed?.roster.from[record.index] || record.openedAt;
  const isForgotten = record.state === 'attached' && chainSeconds >= from + START_PATIENCE_SECONDS;
  return isForgotten ? 'LEASE_NOT_ACTIVE: nobody has started anything' : undefined;
}

/**
 * The renter does not close: finalize the lease once its window has passed, and before that, if the renter had its time, leave it.
 * Nobody waits for a renter that has dismissed us, or when the operator wants to leave.
 * @returns whether we are out
 */
async function endAlone(
  desk: LeaseDesk,
  record: MemberRecord,
  {
    lease,
    chainSeconds,
    sinceMs,
  }: { readonly lease: LeaseOnChain; readonly chainSeconds: number; readonly sinceMs: number },
): Promise<boolean> {
  const { chain, clock, identity, logger, options } = desk.context;
  const { leaseId, terms } = record;
  const turnSeconds = record.index * TURN_SECONDS;
  const end = lease.openedAt + (record.changed?.roster.maxSeconds ?? terms.order.maxSeconds);
  const endedSeconds = lease.stopAt === 0 ? end : Math.min(end, lease.stopAt);
  if (chainSeconds > endedSeconds + terms.order.closeWindow + turnSeconds) {
    const { paidUnits, changed } = await leaseHistory(chain, leaseId);
    const voucher = record.voucher ?? undefined;
    await finalizeLease(chain, { account: identity.operator, terms, changed, paidUnits, voucher });
    logger.info({ leaseId }, 'lease finalized');
    return true;
  }
  const isDismissed = chainSeconds >= (dismissedAtSeconds(record) ?? Number.POSITIVE_INFINITY);
  const waitMs = options.leaving || isDismissed ? 0 : (options.patienceSeconds + turnSeconds) * 1000;
  if (clock.nowMs() < sinceMs + waitMs) return false;
  return leaveMember(desk, leaseId, record.reason ?? 'LEASE_NOT_ACTIVE: the renter does not close it');
}

async function settle(desk: LeaseDesk, record: MemberRecord): Promise<void> {
  const { context } = desk;
  if (record.state !== 'stopped' && record.state !== 'closed') {
    await claimMember(desk, record.leaseId, 'LEASE_NOT_ACTIVE: the lease was closed on chain');
  }
  for (const { handle } of startedSteps(record)) await context.driver.destroy(handle);
  if (record.network !== undefined) await desk.networks.takeDown(record.leaseId);
  await removeJobFolders(jobFolders(context.options.dataDir, record.leaseId));
  await desk.lock.run(record.leaseId, async () => {
    const latest = context.members.find(record.leaseId);
    if (latest !== undefined && latest.state !== 'settled') saveMoved(desk, latest, 'settled');
  });
  desk.onFreeChanged();
}
