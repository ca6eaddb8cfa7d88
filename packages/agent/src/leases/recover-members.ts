import { deliveredUnitsDown, toLatentError } from '@latent/protocol';
import { carryMember } from './carry-member.ts';
import { endJob } from './end-job.ts';
import { type LeaseDesk, saveMoved } from './lease-desk.ts';
import { type MemberRecord, memberOf, startedSteps } from './member-record.ts';
import { stopMember } from './stop-member.ts';

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
        if (await isGone(desk, record)) await stopLost(desk, record);
        else if (await takeUpNetwork(desk, record)) carryMember(desk, record.leaseId);
        context.logger.info({ leaseId: record.leaseId, state: record.state }, 'member recovered');
        break;
      case 'stopped':
      case 'closed':
        // The agent may have been killed between writing `stopped` and ending the job.
        for (const { handle } of startedSteps(record)) {
          await endJob(desk, { leaseId: record.leaseId, handle, graceMs: 0 });
        }
        if (record.network !== undefined) await desk.networks.takeDown(record.leaseId);
        break;
      case 'attached':
        await takeUpNetwork(desk, record);
        break;
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

/** Running jobs find their network again. @returns whether the member goes on; one that has lost its network is stopped */
async function takeUpNetwork(desk: LeaseDesk, record: MemberRecord): Promise<boolean> {
  if (record.network === undefined) return true;
  try {
    await desk.networks.bringUp(record);
    return true;
  } catch (thrown) {
    const { code, message } = toLatentError(thrown);
    desk.context.logger.error({ leaseId: record.leaseId, code, error: message }, 'private network lost');
    await stopMember(desk, record.leaseId, `${code}: ${message}`);
    return false;
  }
}

async function stopLost(desk: LeaseDesk, record: MemberRecord): Promise<void> {
  const delivered =
    record.startedAtMs === 0 ? 0n : deliveredUnitsDown(memberOf(record).devices, record.startedAtMs, record.lastSeenMs);
  saveMoved(desk, record, 'stopped', { reason: 'MEMBER_LOST: the machine was restarted', deliveredUnits: delivered });
  if (record.network !== undefined) await desk.networks.takeDown(record.leaseId);
}
