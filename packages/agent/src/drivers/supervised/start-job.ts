import { writeFile } from 'node:fs/promises';
import type { Clock } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { cancelled } from '../cancelled.ts';
import type { CgroupTree } from '../cgroup/find-cgroup-tree.ts';
import { createJobCgroup, type JobCgroup, jobCgroupIn, procsFiles, removeJobCgroup } from '../cgroup/job-cgroup.ts';
import { checkSpec } from '../check-spec.ts';
import type { JobHandle, JobSpec } from '../driver.ts';
import { emptyStateDir } from '../empty-state-dir.ts';
import { savedHandle, saveHandle } from '../saved-handle.ts';
import type { Enclosure } from './enclosure.ts';
import { jobFiles } from './job-files.ts';
import { launchSupervisor } from './launch-supervisor.ts';
import { readBootId } from './process-table.ts';
import { endSupervisor } from './stop-job.ts';
import { type SupervisedJob, toHandle } from './supervised-job.ts';
import { supervisorScript } from './supervisor-script.ts';

/** Where the operator sets no other: output of one job that is kept, in bytes. */
const keepOutputBytes = 1 << 30;

export interface StartOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Absent where the machine lets us make none: then the enclosure does with less. */
  readonly cgroups: CgroupTree | undefined;
}

/** Starts a supervised job. On a throw nothing of it is left. Errors as in `Driver.start`. */
export async function startJob(asked: JobSpec, enclosure: Enclosure, options: StartOptions): Promise<JobHandle> {
  const { signal } = options;
  if (signal.aborted) throw cancelled(signal);
  const spec = await checkSpec(asked);
  if ((await savedHandle(spec.stateDir)) !== undefined) {
    throw new LatentError('DRIVER_REFUSED', `A job was started in this state folder already: ${spec.stateDir}.`, {
      hint: 'Destroy that job first.',
    });
  }
  const cgroup = options.cgroups === undefined ? undefined : jobCgroupIn(options.cgroups, spec.jobId);
  let job: SupervisedJob | undefined;
  try {
    if (cgroup !== undefined)
      await createJobCgroup(cgroup, spec.limits, { overhead: enclosure.overhead, clock: options.clock });
    await launch(spec, enclosure, { ...options, cgroup }, (known) => {
      job = known;
    });
    if (job === undefined) throw new LatentError('INTERNAL', 'A supervisor started without being known.');
    return toHandle(enclosure.driver, job);
  } catch (error) {
    if (job !== undefined) await endSupervisor(job, enclosure, options.clock);
    if (cgroup !== undefined) await removeJobCgroup(cgroup, options.clock);
    await emptyStateDir(spec.stateDir);
    throw signal.aborted ? cancelled(signal) : error;
  }
}

async function launch(
  spec: JobSpec,
  enclosure: Enclosure,
  options: StartOptions & { readonly cgroup: JobCgroup | undefined },
  onKnown: (job: SupervisedJob) => void,
): Promise<void> {
  const { cgroup, signal } = options;
  const files = jobFiles(spec.stateDir);
  const limited = cgroup !== undefined;
  const script = supervisorScript({
    files,
    keepOutputBytes,
    cgroupProcs: cgroup === undefined ? [] : procsFiles(cgroup),
    leftovers: enclosure.leftovers(limited),
  });
  const [command, bootId] = await Promise.all([
    enclosure.enclose(spec, { limited, signal }),
    readBootId(),
    writeFile(files.supervisor, script, { mode: 0o600 }),
    writeFile(files.script, spec.script, { mode: 0o600 }),
  ]);
  await launchSupervisor({
    files,
    command,
    signal,
    onKnown: async (supervisor) => {
      const job = { jobId: spec.jobId, stateDir: spec.stateDir, supervisor, bootId, cgroup, files };
      onKnown(job);
      await saveHandle(spec.stateDir, toHandle(enclosure.driver, job));
    },
  });
}
