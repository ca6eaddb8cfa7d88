import type { Clock } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { cgroupPids, cgroupStats, removeJobCgroup } from '../cgroup/job-cgroup.ts';
import type { CgroupAnswer } from '../cgroup/open-cgroup-tree.ts';
import { checkCommand } from '../check-spec.ts';
import type { Driver, JobHandle, JobState, JobStats } from '../driver.ts';
import { emptyStateDir } from '../empty-state-dir.ts';
import { readOutput } from '../read-output.ts';
import { waitForExit } from '../wait-for-exit.ts';
import type { Enclosure } from './enclosure.ts';
import { readJobState } from './job-state.ts';
import { isRunning } from './process-table.ts';
import { runCommand } from './run-command.ts';
import { startJob } from './start-job.ts';
import { endSupervisor, stopJob } from './stop-job.ts';
import { fromHandle, type SupervisedJob } from './supervised-job.ts';

export interface SupervisedOptions {
  readonly clock: Clock;
  readonly cgroups: () => Promise<CgroupAnswer>;
}

/**
 * A driver whose jobs run under a shell supervisor (see `supervisorScript`) inside an enclosure. It keeps nothing in memory:
 * every call works from the handle alone, so a fresh instance is as good as the one that started the job.
 */
export function supervisedDriver(enclosure: Enclosure, options: SupervisedOptions): Driver {
  const { clock } = options;
  const jobOf = (handle: JobHandle) => fromHandle(enclosure.driver, handle);

  let opened: CgroupAnswer | undefined;
  async function cgroups(): Promise<CgroupAnswer> {
    // What worked once is not tried again; what did not may have been put right since.
    if (opened?.usable !== true) opened = await options.cgroups();
    return opened;
  }

  async function recover(handle: JobHandle): Promise<JobState> {
    return handle.driver === enclosure.driver ? readJobState(jobOf(handle)) : { kind: 'gone' };
  }

  return {
    name: enclosure.driver,
    fingerprint: (fingerprintOptions) => enclosure.fingerprint(fingerprintOptions),

    async start(spec, { signal }) {
      const answer = await cgroups();
      return startJob(spec, enclosure, { signal, clock, cgroups: answer.usable ? answer.tree : undefined });
    },

    recover,

    wait(handle, { signal }) {
      const job = jobOf(handle);
      return waitForExit({ folder: job.stateDir, state: () => readJobState(job), clock, signal });
    },

    stop: (handle, { graceMs }) => stopJob(jobOf(handle), enclosure, { graceMs, clock }),

    async destroy(handle) {
      const job = jobOf(handle);
      await stopJob(job, enclosure, { graceMs: 0, clock });
      await endSupervisor(job, enclosure, clock);
      if (job.cgroup !== undefined) await removeJobCgroup(job.cgroup, clock);
      await emptyStateDir(job.stateDir);
    },

    stats: (handle) => readStats(jobOf(handle), enclosure),

    async exec(handle, command, execOptions) {
      const checked = checkCommand(command);
      const job = jobOf(handle);
      if ((await readJobState(job)).kind !== 'running') {
        throw new LatentError('MEMBER_NOT_STARTED', `The job ${job.jobId} does not run.`);
      }
      return runCommand(await enclosure.enter(job, checked), execOptions, clock);
    },

    output(handle, outputOptions) {
      const job = jobOf(handle);
      const source = { jobId: job.jobId, folder: job.stateDir, file: job.files.output, state: () => readJobState(job) };
      return readOutput(source, outputOptions, clock);
    },
  };
}

/** Linux counts CPU time in hundredths of a second towards programs, whatever its own tick is. */
const ticksPerSecond = 100;
const pageBytes = 4096;

async function readStats(job: SupervisedJob, enclosure: Enclosure): Promise<JobStats> {
  if (job.cgroup !== undefined && (await cgroupPids(job.cgroup)).length > 0) {
    return cgroupStats(job.cgroup, enclosure.overhead);
  }
  const running = await isRunning(job.supervisor);
  const members = running ? await enclosure.members(job) : [];
  const sum = (value: (info: (typeof members)[number]) => number) =>
    members.reduce((total, info) => total + value(info), 0);
  return {
    cpuSeconds: sum((info) => info.cpuTicks) / ticksPerSecond,
    memoryBytes: sum((info) => info.residentPages) * pageBytes,
    processes: members.length,
  };
}
