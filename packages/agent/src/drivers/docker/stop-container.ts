import type { Clock } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import type { JobState } from '../driver.ts';
import { waitForExit } from '../wait-for-exit.ts';
import { readContainerState } from './container-state.ts';
import type { DockerJob } from './docker-job.ts';
import { killContainer } from './engine/container-answers.ts';
import { createExec, startDetached } from './engine/exec-answers.ts';
import type { Engine } from './engine/open-engine.ts';

/** How long the engine may take to see that a killed container has ended. */
const killLimitMs = 20_000;

/**
 * SIGTERM to all processes of the container but its first, SIGKILL to what is left after `graceMs`. Nothing of the job runs
 * afterwards, and its exit is kept. Does nothing for a job that has ended.
 * @throws LatentError DRIVER_UNAVAILABLE, DRIVER_FAILED
 */
export async function stopContainer(
  job: DockerJob,
  open: () => Promise<Engine>,
  options: { readonly graceMs: number; readonly clock: Clock },
): Promise<void> {
  const { graceMs, clock } = options;
  const state = () => readContainerState(job, open);
  if ((await state()).kind !== 'running') return;
  const engine = await open();
  if (graceMs > 0 && (await askToEnd(job, engine)) && (await endsWithin(job, state, graceMs, clock))) return;
  await killContainer(engine, job.container);
  if (await endsWithin(job, state, killLimitMs, clock)) return;
  throw new LatentError('DRIVER_FAILED', `The container of job ${job.jobId} does not end.`, {
    hint: 'Its processes may hang in the kernel (state D in ps): look at the storage and devices of the machine.',
    details: { container: job.container },
  });
}

/**
 * From inside, as the engine would only signal the first process. False where no command can be run there, because the job has
 * used up its processes or memory.
 */
async function askToEnd(job: DockerJob, engine: Engine): Promise<boolean> {
  try {
    const exec = await createExec(engine, job.container, {
      argv: ['/bin/sh', '-c', 'kill -TERM -1; kill -CONT -1'],
      ...{ env: {}, user: job.user, workdir: '/', attached: false },
    });
    await startDetached(engine, exec);
    return true;
  } catch (error) {
    if (error instanceof LatentError && (error.code === 'DRIVER_FAILED' || error.code === 'MEMBER_NOT_STARTED'))
      return false;
    throw error;
  }
}

async function endsWithin(
  job: DockerJob,
  state: () => Promise<JobState>,
  limitMs: number,
  clock: Clock,
): Promise<boolean> {
  const limit = AbortSignal.timeout(limitMs);
  try {
    await waitForExit({ folder: job.stateDir, state, clock, signal: limit });
    return true;
  } catch (error) {
    if (limit.aborted) return false;
    throw error;
  }
}
