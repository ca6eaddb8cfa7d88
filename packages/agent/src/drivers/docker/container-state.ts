import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { JobExit, JobState } from '../driver.ts';
import { isMissing } from '../is-missing.ts';
import { isRunning, readBootId } from '../supervised/process-table.ts';
import type { DockerJob } from './docker-job.ts';
import { type Container, inspectContainer, ranOutOfMemory } from './engine/container-answers.ts';
import type { Engine } from './engine/open-engine.ts';
import { printable } from './engine/printable.ts';

const exitSchema = z.object({ code: z.int(), reason: z.string().max(1000).exactOptional() });

/**
 * What became of the job. While its writer waits for more output it runs, and the engine is not asked: that is cheap, and true
 * also while the engine itself is away. An exit is kept as soon as it is known, whatever becomes of the container.
 * @throws LatentError DRIVER_UNAVAILABLE, DRIVER_FAILED where only the engine knows and does not say
 */
export async function readContainerState(job: DockerJob, open: () => Promise<Engine>): Promise<JobState> {
  const known = await readLocalState(job);
  if (known !== undefined) return known;
  const engine = await open();
  const container = await endingContainer(job, engine);
  if (container === undefined) {
    return {
      kind: 'exited',
      exit: await keepExit(job, { code: -1, reason: 'its container was removed from outside' }),
    };
  }
  if (container.State.Running) return { kind: 'running' };
  return { kind: 'exited', exit: await keepExit(job, await exitOf(engine, container)) };
}

/** For a job of which nothing runs any more while the engine, which knows its exit code, stays away. */
export async function giveUpExit(job: DockerJob): Promise<JobExit | undefined> {
  if (!(await exists(job.files.outputEnd))) return undefined;
  return keepExit(job, { code: -1, reason: 'the container engine does not say how it ended' });
}

/** What can be told without the engine. */
async function readLocalState(job: DockerJob): Promise<JobState | undefined> {
  if (!(await exists(job.files.handle))) return { kind: 'gone' };
  const exit = await readExit(job);
  if (exit !== undefined) return { kind: 'exited', exit };
  if ((await readBootId()) !== job.bootId) {
    return { kind: 'exited', exit: await keepExit(job, { code: -1, reason: 'machine restarted' }) };
  }
  if (!(await exists(job.files.started)) || (await exists(job.files.outputEnd))) return undefined;
  return (await isRunning(job.writer)) ? { kind: 'running' } : undefined;
}

/** Once nothing holds the job's output any more its container is about to end, but the engine may not have noticed yet. */
async function endingContainer(job: DockerJob, engine: Engine): Promise<Container | undefined> {
  const container = await inspectContainer(engine, job.container);
  if (container?.State.Running !== true || !(await exists(job.files.outputEnd))) return container;
  await engine.act('POST', `/containers/${job.container}/wait?condition=not-running`);
  return inspectContainer(engine, job.container);
}

async function exitOf(engine: Engine, container: Container): Promise<JobExit> {
  const { State } = container;
  const { Status, ExitCode, OOMKilled, Error: complaint = '' } = State;
  if (Status === 'created') return { code: -1, reason: 'it was never started' };
  const isStarved = async () => OOMKilled === true || (await ranOutOfMemory(engine, container, Date.now()));
  if (ExitCode === killedCode && (await isStarved())) return { code: ExitCode, reason: 'out of memory' };
  if (complaint !== '') return { code: ExitCode, reason: printable(complaint) };
  return { code: ExitCode };
}

const killedCode = 137;

let parts = 0;

/** Stored before anybody is told; the first one stays. */
async function keepExit(job: DockerJob, exit: JobExit): Promise<JobExit> {
  const before = await readExit(job);
  if (before !== undefined) return before;
  parts += 1;
  const part = `${job.files.exit}.${process.pid}-${parts}`;
  try {
    await writeFile(part, JSON.stringify(exit), { mode: 0o600 });
    await rename(part, job.files.exit);
  } catch (error) {
    // The job is being destroyed at this moment.
    if (!isMissing(error)) throw error;
  }
  return exit;
}

async function readExit(job: DockerJob): Promise<JobExit | undefined> {
  try {
    return exitSchema.parse(JSON.parse(await readFile(job.files.exit, 'utf8')));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
