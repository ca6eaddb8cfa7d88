import { LatentError, toLatentError } from '@latent/protocol';
import { checkpointLease, finalizeLease, leaseHistory, readChainTime, readLease } from '@latent/sdk';
import { createLeaseAdoption } from './adopt-leases.ts';
import { claimMember } from './claim-member.ts';
import { jobFolders, removeJobFolders } from './job-folders.ts';
import { type LeaseDesk, saveMoved } from './lease-desk.ts';
import { leaseEndSeconds, type MemberRecord, memberOf, startedSteps } from './member-record.ts';
import { claimableUnits } from './metering.ts';

/** How often the chain is asked about open leases. */
const FOLLOW_INTERVAL_MS = 2_000;
/** Members take turns at posting and finalizing: what the first one did, the others need not pay gas for. */
const TURN_SECONDS = 4;

/**
 * Watches the chain's side of every open lease: ends what was stopped there, posts the last voucher when the renter does
 * not close, finalizes after the window, and forgets what is settled. A chain that is down is asked again later.
 */
export async function followLeases(desk: LeaseDesk): Promise<void> {
  const { context } = desk;
  const adoptLeases = createLeaseAdoption(desk);
  const warn = (fields: Record<string, string>) => (thrown: unknown) => {
    const { code, message } = toLatentError(thrown);
    context.logger.warn({ ...fields, code, error: message }, 'could not follow the chain; trying again');
  };
  while (!context.signal.aborted) {
    await adoptLeases().catch(warn({}));
    for (const record of context.members.open()) {
      await followLease(desk, record).catch(warn({ leaseId: record.leaseId }));
    }
    await context.clock.sleep(FOLLOW_INTERVAL_MS, { signal: context.signal }).catch(() => undefined);
  }
}

async function followLease(desk: LeaseDesk, record: MemberRecord): Promise<void> {
  const { chain } = desk.context;
  const [lease, chainSeconds] = await Promise.all([readLease(chain, record.leaseId), readChainTime(chain)]);
  if (lease.state === 'closed') return settle(desk, record);
  const endedSeconds = lease.stopAt === 0 ? leaseEndSeconds(record) : lease.stopAt;
  const isEnded = chainSeconds >= endedSeconds;
  if (isEnded && record.state !== 'closed') {
    const why = lease.stopAt === 0 ? 'it has reached its end' : 'the renter stopped it';
    await claimMember(desk, record.leaseId, `LEASE_NOT_ACTIVE: ${why}`);
  } else if (record.state === 'stopped' || record.state === 'closed') {
    await securePay(desk, record, { sinceEndSeconds: chainSeconds - endedSeconds });
  }
}

/** The renter does not close: post what it signed, and end the lease once the window has passed. */
async function securePay(
  desk: LeaseDesk,
  record: MemberRecord,
  { sinceEndSeconds }: { readonly sinceEndSeconds: number },
): Promise<void> {
  const { chain, clock, identity, logger, options } = desk.context;
  const turnSeconds = record.index * TURN_SECONDS;
  const { paidUnits, changed } = await leaseHistory(chain, record.leaseId);
  const common = { account: identity.operator, terms: record.terms, changed, paidUnits };
  if (sinceEndSeconds > record.terms.order.closeWindow + turnSeconds) {
    await finalizeLease(chain, { ...common, voucher: record.voucher ?? undefined });
    logger.info({ leaseId: record.leaseId }, 'lease finalized');
    return;
  }
  const stoppedMs = record.startedAtMs + Number((record.deliveredUnits * 1000n) / BigInt(memberOf(record).devices));
  const isPatient = clock.nowMs() < stoppedMs + (options.patienceSeconds + turnSeconds) * 1000;
  const unpaid = claimableUnits(record) - (paidUnits[record.index] ?? 0n);
  if (unpaid <= 0n || record.voucher === null || isPatient) return;
  const sent = await checkpointLease(chain, { ...common, voucher: record.voucher }).catch((thrown: unknown) => {
    // Another member was quicker: the voucher pays all.
    if (thrown instanceof LatentError && thrown.code === 'LEASE_NOT_SETTLED') return undefined;
    throw thrown;
  });
  if (sent !== undefined) logger.info({ leaseId: record.leaseId, hash: sent.hash }, 'last voucher posted');
}

async function settle(desk: LeaseDesk, record: MemberRecord): Promise<void> {
  const { context } = desk;
  if (record.state !== 'stopped' && record.state !== 'closed') {
    await claimMember(desk, record.leaseId, 'LEASE_NOT_ACTIVE: the lease was closed on chain');
  }
  for (const { handle } of startedSteps(record)) await context.driver.destroy(handle);
  await removeJobFolders(jobFolders(context.options.dataDir, record.leaseId));
  await desk.lock.run(record.leaseId, async () => {
    const latest = context.members.find(record.leaseId);
    if (latest !== undefined && latest.state !== 'settled') saveMoved(desk, latest, 'settled');
  });
  desk.onFreeChanged();
}
