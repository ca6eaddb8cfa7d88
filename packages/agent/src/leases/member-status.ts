import type { JobPhase, MemberStatus } from '@latent/protocol';
import type { JobStats } from '../drivers/driver.ts';
import type { LeaseDesk } from './lease-desk.ts';
import { coveredUnits, type MemberRecord } from './member-record.ts';
import { deliveredUnits } from './metering.ts';

const noStats: JobStats = { cpuSeconds: 0, memoryBytes: 0, processes: 0 };

/** What a renter is told of its member. */
export async function memberStatus(desk: LeaseDesk, record: MemberRecord): Promise<MemberStatus> {
  const { context } = desk;
  const isRunning = record.state === 'running' && record.run !== null && record.run.exit === null;
  // A job may end between our look and the driver's: then there is nothing to count, which is no error.
  const stats =
    isRunning && record.run !== null ? await context.driver.stats(record.run.handle).catch(() => noStats) : noStats;
  const network = desk.networks.status(record.leaseId);
  return {
    leaseId: record.leaseId,
    index: record.index,
    state: record.state,
    ...(record.reason === null ? {} : { reason: record.reason.slice(0, 500) }),
    job: jobPhase(desk, record),
    startedAtMs: record.startedAtMs,
    deliveredUnits: deliveredUnits(record, context.clock.nowMs()),
    coveredUnits: coveredUnits(record),
    cpuSeconds: stats.cpuSeconds,
    memoryBytes: stats.memoryBytes,
    ...(network === undefined ? {} : { network }),
  };
}

function jobPhase(desk: LeaseDesk, record: MemberRecord): JobPhase {
  const ended = record.run?.exit ?? (record.setup?.exit?.code === 0 ? null : record.setup?.exit);
  if (ended !== null && ended !== undefined) {
    return { kind: 'exited', code: ended.code, ...(ended.reason === undefined ? {} : { reason: ended.reason }) };
  }
  switch (record.state) {
    case 'running':
      return { kind: 'running' };
    case 'preparing': {
      const fetching = desk.preparing.get(record.leaseId);
      if (fetching === undefined) return { kind: 'setup' };
      return { kind: 'image', doneBytes: fetching.doneBytes, totalBytes: fetching.totalBytes };
    }
    default:
      return { kind: 'none' };
  }
}
