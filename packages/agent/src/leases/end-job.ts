import { type LeaseId, toLatentError } from '@latent/protocol';
import type { JobHandle } from '../drivers/driver.ts';
import type { LeaseDesk } from './lease-desk.ts';

/** How often a job is tried to be ended that could not be. */
const RETRY_MS = 5_000;

/**
 * Ends a job of a member. A driver may be away for a while, as an engine of containers is that hangs or is started anew: then it is tried
 * again in the background until the job has ended, and the agent goes on meanwhile. The member is stopped already and metered no more;
 * its devices are free only once the job is destroyed.
 */
export async function endJob(
  desk: LeaseDesk,
  job: { readonly leaseId: LeaseId; readonly handle: JobHandle; readonly graceMs: number },
): Promise<void> {
  const { driver, logger } = desk.context;
  const { leaseId, handle, graceMs } = job;
  try {
    await driver.stop(handle, { graceMs });
  } catch (thrown) {
    const { code, message } = toLatentError(thrown);
    logger.error({ leaseId, code, error: message }, 'job not ended yet');
    void keepEnding(desk, leaseId, handle);
  }
}

async function keepEnding({ context }: LeaseDesk, leaseId: LeaseId, handle: JobHandle): Promise<void> {
  const { clock, driver, logger, signal } = context;
  while (!signal.aborted) {
    try {
      await clock.sleep(RETRY_MS, { signal });
      await driver.stop(handle, { graceMs: 0 });
      logger.info({ leaseId }, 'job ended');
      return;
    } catch (thrown) {
      logger.debug({ leaseId, error: toLatentError(thrown).message }, 'job not ended yet');
    }
  }
}
