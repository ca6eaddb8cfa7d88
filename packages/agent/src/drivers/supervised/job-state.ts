import { readFile, stat } from 'node:fs/promises';
import { hasRunOutOfMemory } from '../cgroup/job-cgroup.ts';
import type { JobExit, JobState } from '../driver.ts';
import { isMissing } from '../is-missing.ts';
import { isRunning, readBootId } from './process-table.ts';
import type { SupervisedJob } from './supervised-job.ts';

const killedCode = 137;

/** What became of the job, from nothing but its state folder and the process table. */
export async function readJobState(job: SupervisedJob): Promise<JobState> {
  if (!(await exists(job.files.handle))) return { kind: 'gone' };
  const exit = await readExit(job);
  if (exit !== undefined) return { kind: 'exited', exit };
  if ((await readBootId()) !== job.bootId) {
    return { kind: 'exited', exit: { code: -1, reason: 'machine restarted' } };
  }
  if (await isRunning(job.supervisor)) return { kind: 'running' };
  const late = await readExit(job);
  return { kind: 'exited', exit: late ?? { code: -1, reason: 'its supervisor was killed from outside' } };
}

async function readExit(job: SupervisedJob): Promise<JobExit | undefined> {
  try {
    const text = (await readFile(job.files.exit, 'utf8')).trim();
    if (!/^\d{1,3}$/.test(text)) return { code: -1, reason: 'the exit code was lost in a crash of the machine' };
    const code = Number(text);
    const starved = code === killedCode && job.cgroup !== undefined && (await hasRunOutOfMemory(job.cgroup));
    return starved ? { code, reason: 'out of memory' } : { code };
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
