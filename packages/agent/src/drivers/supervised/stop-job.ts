import type { Clock } from '@latent/kit';
import type { Enclosure } from './enclosure.ts';
import { endProcesses, signalProcess } from './end-processes.ts';
import { isRunning, readBootId, readProcesses } from './process-table.ts';
import type { SupervisedJob } from './supervised-job.ts';

const pauseMs = 10;
/** How long the kernel may take to end what was killed. */
const killLimitMs = 20_000;
/** How long the supervisor may take to write down the exit code once the job has ended. */
const recordLimitMs = 5_000;

/**
 * SIGTERM to the whole job, SIGKILL to what is left after `graceMs`, and the exit code recorded. Nothing of it runs
 * afterwards. Does nothing for a job that has ended.
 * @throws LatentError DRIVER_FAILED when the kernel does not end a process.
 */
export async function stopJob(
  job: SupervisedJob,
  enclosure: Enclosure,
  options: { readonly graceMs: number; readonly clock: Clock },
): Promise<void> {
  const { clock } = options;
  if ((await readBootId()) !== job.bootId) return;
  for (const member of await enclosure.members(job)) {
    await signalProcess(member, 'SIGTERM');
    await signalProcess(member, 'SIGCONT');
  }
  const isOver = async () => !(await isRunning(job.supervisor)) && (await enclosure.everything(job)).length === 0;
  if (await happens(isOver, options.graceMs, clock)) return;
  await endProcesses(() => enclosure.everything(job), { clock, limitMs: killLimitMs });
  if (await happens(async () => !(await isRunning(job.supervisor)), recordLimitMs, clock)) return;
  await endSupervisor(job, enclosure, clock);
}

/** Ends a job whatever state it is in, also one that has not begun; its exit code may be lost. */
export async function endSupervisor(job: SupervisedJob, enclosure: Enclosure, clock: Clock): Promise<void> {
  if ((await readBootId()) !== job.bootId) return;
  const session = async () => (await readProcesses()).filter((info) => info.session === job.supervisor.pid);
  const list = async () => {
    // The session's number can only be another's when the supervisor and all that it started have ended.
    const own = (await isRunning(job.supervisor)) ? await session() : [];
    return [...own, ...(await enclosure.everything(job))];
  };
  await endProcesses(list, { clock, limitMs: killLimitMs });
}

async function happens(check: () => Promise<boolean>, limitMs: number, clock: Clock): Promise<boolean> {
  const deadline = clock.nowMs() + limitMs;
  for (;;) {
    if (await check()) return true;
    if (clock.nowMs() >= deadline) return false;
    await clock.sleep(pauseMs);
  }
}
