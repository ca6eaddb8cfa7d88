import { deliveredUnitsDown } from '@latent/protocol';
import { coveredUnits, leaseEndSeconds, type MemberRecord, memberOf } from './member-record.ts';

/** Device-seconds delivered up to now: counted while it runs, fixed once it stopped. */
export function deliveredUnits(record: MemberRecord, nowMs: number): bigint {
  if (record.state !== 'running') return record.deliveredUnits;
  return deliveredUnitsDown(
    memberOf(record).devices,
    record.startedAtMs,
    Math.min(nowMs, leaseEndSeconds(record) * 1000),
  );
}

/** What the agent claims at the end: what it delivered and the renter signed for. */
export function claimableUnits(record: MemberRecord): bigint {
  const covered = coveredUnits(record);
  return record.deliveredUnits < covered ? record.deliveredUnits : covered;
}

/** Device-seconds that a voucher has to cover before the job starts. A lease shorter than the prepay is covered whole. */
export function prepaidUnits(record: MemberRecord): bigint {
  const { order } = record.terms;
  return BigInt(memberOf(record).devices) * BigInt(Math.min(order.prepay, order.maxSeconds));
}

/**
 * Why a running member has to stop now, or undefined if it may go on.
 * @param awakeSinceMs since when the agent can hear: no voucher could reach it before, so the renter gets one prepay of time
 * to send the next one
 */
export function stopReason(record: MemberRecord, nowMs: number, awakeSinceMs: number): string | undefined {
  if (nowMs >= leaseEndSeconds(record) * 1000) return 'BUDGET_EXHAUSTED: the lease has reached its end';
  const covered = coveredUnits(record);
  if (deliveredUnits(record, nowMs) < covered) return undefined;
  const wasAway = record.startedAtMs < awakeSinceMs;
  if (wasAway && nowMs < awakeSinceMs + record.terms.order.prepay * 1000) return undefined;
  return `VOUCHER_STOPPED: delivered all of the ${covered} device-seconds that the renter signed for`;
}
