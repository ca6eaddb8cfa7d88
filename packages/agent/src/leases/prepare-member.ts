import type { LeaseId } from '@latent/protocol';
import { jobFolders } from './job-folders.ts';
import type { LeaseDesk } from './lease-desk.ts';

/** What is being fetched for a member that is not running yet. */
export interface Preparing {
  readonly stop: AbortController;
  doneBytes: number;
  totalBytes: number;
}

/**
 * Has the driver fetch what the job needs, such as its image, before the member is metered: outside of the lease's lock, since it may
 * take minutes, in which the renter may stop the member. Then it is given up, and returns.
 * @throws LatentError those of `Driver.prepare`
 */
export async function prepareMember(desk: LeaseDesk, leaseId: LeaseId): Promise<void> {
  const { context } = desk;
  const record = context.members.find(leaseId);
  const image = record?.job?.image;
  if (record?.state !== 'preparing' || image === undefined || context.driver.prepare === undefined) return;
  const folders = jobFolders(context.options.dataDir, leaseId);
  const preparing: Preparing = { stop: new AbortController(), doneBytes: 0, totalBytes: 0 };
  desk.preparing.set(leaseId, preparing);
  try {
    const spec = { jobId: `${folders.name}-setup`, image, imageDir: folders.image, stateDir: folders.state.setup };
    await context.driver.prepare(spec, {
      signal: AbortSignal.any([context.signal, preparing.stop.signal]),
      onProgress: (progress) => Object.assign(preparing, progress),
    });
  } catch (thrown) {
    if (!preparing.stop.signal.aborted) throw thrown;
  } finally {
    desk.preparing.delete(leaseId);
  }
}
