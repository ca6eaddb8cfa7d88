import { LatentError, type LeaseId } from '@latent/protocol';
import type { JobHandle } from '../drivers/driver.ts';
import { savedHandle } from '../drivers/saved-handle.ts';
import { jobSpec } from './job-spec.ts';
import type { LeaseDesk } from './lease-desk.ts';

/**
 * Where a renter's command runs: beside the job, and once that has ended in surroundings of the same kind, over the same
 * files, which stand until the member is stopped.
 * @throws LatentError MEMBER_NOT_STARTED, and those of `Driver.start`
 */
export async function findSurroundings(desk: LeaseDesk, leaseId: LeaseId): Promise<JobHandle> {
  const { context } = desk;
  return desk.lock.run(leaseId, async () => {
    const record = context.members.find(leaseId);
    if (record === undefined || record.state !== 'running' || record.run === null) {
      throw new LatentError('MEMBER_NOT_STARTED', `The member is ${record?.state}; commands run while it is running.`, {
        details: { leaseId },
      });
    }
    const stands = async (handle: JobHandle) => (await context.driver.recover(handle)).kind === 'running';
    if (await stands(record.run.handle)) return record.run.handle;
    const spec = await jobSpec(desk, record, 'shell');
    // Only the state folder knows of what an agent that was killed inside of `start` left.
    const before = record.shell?.handle ?? (await savedHandle(spec.stateDir));
    if (before !== undefined && (await stands(before))) return before;
    // A command may have ended what stood here.
    if (before !== undefined) await context.driver.destroy(before);
    const handle = await context.driver.start(spec, { signal: context.signal });
    context.members.save({ ...record, shell: { handle, exit: null } });
    return handle;
  });
}
