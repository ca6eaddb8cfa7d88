import type { LeaseId } from '@latent/protocol';
import { endJob } from './end-job.ts';
import { type LeaseDesk, saveMoved } from './lease-desk.ts';
import { type MemberRecord, startedSteps } from './member-record.ts';
import { deliveredUnits } from './metering.ts';

/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 5_000;

/**
 * Ends a member: the meter stands still at once, then everything of the job is ended. Idempotent.
 * @returns the record after it, undefined if there is no such lease
 */
export async function stopMember(desk: LeaseDesk, leaseId: LeaseId, reason: string): Promise<MemberRecord | undefined> {
  const { context } = desk;
  const stopped = await desk.lock.run(leaseId, async () => {
    const record = context.members.find(leaseId);
    if (record === undefined || !['attached', 'preparing', 'running'].includes(record.state)) return record;
    const delivered = deliveredUnits(record, context.clock.nowMs());
    return saveMoved(desk, record, 'stopped', { reason, deliveredUnits: delivered });
  });
  desk.preparing.get(leaseId)?.stop.abort();
  // Outside of the lock: ending a stubborn job takes seconds, and nobody else moves a stopped member.
  for (const step of stopped === undefined ? [] : startedSteps(stopped)) {
    if (step.exit === null) await endJob(desk, { leaseId, handle: step.handle, graceMs: GRACE_MS });
  }
  if (stopped?.network !== undefined) await desk.networks.takeDown(leaseId);
  return context.members.find(leaseId);
}
