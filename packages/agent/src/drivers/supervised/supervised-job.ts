import { LatentError } from '@latent/protocol';
import { z } from 'zod';
import { type JobCgroup, jobCgroupSchema } from '../cgroup/job-cgroup.ts';
import type { DriverName, JobHandle } from '../driver.ts';
import { type JobFiles, jobFiles } from './job-files.ts';
import type { ProcessId } from './process-table.ts';

/** A job as its handle describes it. */
export interface SupervisedJob {
  readonly jobId: string;
  readonly stateDir: string;
  readonly supervisor: ProcessId;
  readonly bootId: string;
  readonly cgroup: JobCgroup | undefined;
  readonly files: JobFiles;
}

const stateSchema = z.object({
  stateDir: z.string().startsWith('/').max(1000),
  pid: z.int().positive(),
  startTicks: z.int().nonnegative(),
  bootId: z.string().max(64),
  cgroup: z
    .string()
    .max(2000)
    .transform((text) => jobCgroupSchema.parse(JSON.parse(text)))
    .optional(),
});

export function toHandle(driver: DriverName, job: Omit<SupervisedJob, 'files'>): JobHandle {
  return {
    driver,
    jobId: job.jobId,
    state: {
      stateDir: job.stateDir,
      pid: job.supervisor.pid,
      startTicks: job.supervisor.startTicks,
      bootId: job.bootId,
      ...(job.cgroup === undefined ? {} : { cgroup: JSON.stringify(job.cgroup) }),
    },
  };
}

/** @throws LatentError DRIVER_REFUSED for a handle that another driver made, or nobody. */
export function fromHandle(driver: DriverName, handle: JobHandle): SupervisedJob {
  const parsed = stateSchema.safeParse(handle.state);
  if (handle.driver !== driver || !parsed.success) {
    throw new LatentError('DRIVER_REFUSED', `The handle of job ${handle.jobId} was not made by the driver ${driver}.`, {
      details: { jobId: handle.jobId, driver: handle.driver },
      cause: parsed.error,
    });
  }
  const { stateDir, pid, startTicks, bootId, cgroup } = parsed.data;
  return { jobId: handle.jobId, stateDir, supervisor: { pid, startTicks }, bootId, cgroup, files: jobFiles(stateDir) };
}
