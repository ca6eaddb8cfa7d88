import { deliveredUnitsDown } from '@latent/protocol';
import { carryMember } from './carry-member.ts';
import { type LeaseDesk, saveMoved } from './lease-desk.ts';
import { type MemberRecord, memberOf, startedSteps } from './member-record.ts';

/**
 * Takes up, after a restart, every member that an earlier life of the agent left: running work is re-attached, work
 * that is gone (the machine was restarted) is stopped as of when it was last seen. Nothing is counted twice, because
 * delivered seconds follow from the stored start alone.
 */
export async function recoverMembers(desk: LeaseDesk): Promise<void> {
  const { context } = desk;
  for (const record of context.members.open()) {
    switch (record.state) {
      case 'preparing':
      case 'running':
        if (await isGone(desk, record)) stopLost(desk, record);
        else carryMember(desk, record.leaseId);
        context.logger.info({ leaseId: record.leaseId, state: record.state }, 'member recovered');
        break;
      case 'stopped':
      case 'closed':
        // The agent may have been killed between writing `stopped` and ending the job.
        for (const { handle } of startedSteps(record)) await context.driver.stop(handle, { graceMs: 0 });
        break;
      case 'attached':
      case 'settled':
        break;
      default:
        record.state satisfies never;
    }
  }
}

async function isGone({ context }: LeaseDesk, record: MemberRecord): Promise<boolean> {
  const step = record.run ?? record.setup;
  if (step === null || step.exit !== null) return false;
  return (await context.driver.recover(step.handle)).kind === 'gone';
}

function stopLost(desk: LeaseDesk, record: MemberRecord): void {
  const delivered =
    record.startedAtMs === 0 ? 0n : deliveredUnitsDown(memberOf(record).devices, record.startedAtMs, record.lastSeenMs);
  saveMoved(desk, record, 'stopped', { reason: 'MEMBER_LOST: the machine was restarted', deliveredUnits: delivered });
}
