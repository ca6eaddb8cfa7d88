import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { LatentError } from '@latent/protocol';
import { z } from 'zod';
import type { JobHandle } from '../driver.ts';
import type { ProcessId } from '../supervised/process-table.ts';

/** A job as its handle describes it. */
export interface DockerJob {
  readonly jobId: string;
  readonly stateDir: string;
  readonly socketPath: string;
  /** Id of the container. */
  readonly container: string;
  /** User of the job inside, as the engine takes it. */
  readonly user: string;
  /** What writes the output down. */
  readonly writer: ProcessId;
  readonly bootId: string;
  readonly files: DockerFiles;
}

/** What lies in the state folder of a job in a container. */
export function dockerFiles(stateDir: string) {
  const at = (name: string) => join(stateDir, name);
  return {
    script: at('script.sh'),
    output: at('output'),
    outputPipe: at('output.pipe'),
    /** Appears when the engine has started the job. */
    started: at('started'),
    /** Appears when everything that could write into the pipe has ended: the job, and then its writer. */
    outputEnd: at('output.end'),
    /** The job's exit, once it is known; from then on the engine is not asked. */
    exit: at('exit.json'),
    /** For Podman, which reads the profile from a file. */
    seccomp: at('seccomp.json'),
    handle: at('handle.json'),
  } as const;
}
export type DockerFiles = ReturnType<typeof dockerFiles>;

/** The same for every start of a job, and for no two jobs on a machine, whoever's agents they are. */
export function containerName(jobId: string, stateDir: string): string {
  return `latent-${jobId}-${createHash('sha256').update(stateDir).digest('hex').slice(0, 12)}`;
}

/** By which containers of ours are found again. */
export const jobLabel = 'latent.job';
export const stateDirLabel = 'latent.state-folder';

const stateSchema = z.object({
  stateDir: z.string().startsWith('/').max(1000),
  socketPath: z.string().startsWith('/').max(200),
  container: z.string().regex(/^[0-9a-f]{64}$/),
  user: z.string().regex(/^\d+:\d+$/),
  pid: z.int().positive(),
  startTicks: z.int().nonnegative(),
  bootId: z.string().max(64),
});

export function toHandle(job: Omit<DockerJob, 'files'>): JobHandle {
  const { jobId, stateDir, socketPath, container, user, writer, bootId } = job;
  return { driver: 'docker', jobId, state: { stateDir, socketPath, container, user, ...writer, bootId } };
}

/** @throws LatentError DRIVER_REFUSED for a handle that another driver made, or nobody. */
export function fromHandle(handle: JobHandle): DockerJob {
  const parsed = stateSchema.safeParse(handle.state);
  if (handle.driver !== 'docker' || !parsed.success) {
    throw new LatentError('DRIVER_REFUSED', `The handle of job ${handle.jobId} was not made by the driver docker.`, {
      details: { jobId: handle.jobId, driver: handle.driver },
      cause: parsed.error,
    });
  }
  const { pid, startTicks, ...rest } = parsed.data;
  return { ...rest, jobId: handle.jobId, writer: { pid, startTicks }, files: dockerFiles(rest.stateDir) };
}
