import { readFile } from 'node:fs/promises';
import { isMissing } from '../is-missing.ts';
import { findSupervisor } from '../supervised/find-supervisor.ts';
import { descendantsOf, type ProcessInfo, readProcesses } from '../supervised/process-table.ts';
import type { SupervisedJob } from '../supervised/supervised-job.ts';

export interface SandboxProcesses {
  /** First process of the job's PID namespace: bubblewrap's reaper. When it ends, the kernel ends all others. */
  readonly init: ProcessInfo | undefined;
  /** The job itself. */
  readonly members: readonly ProcessInfo[];
}

/**
 * Everything below the supervisor. Nothing of a job can leave: an orphan in a PID namespace becomes a child of its first
 * process, however it detached itself.
 */
export async function sandboxProcesses(job: SupervisedJob): Promise<SandboxProcesses> {
  const all = await readProcesses();
  if (findSupervisor(job, all) === undefined) return { init: undefined, members: [] };
  for (const candidate of descendantsOf(job.supervisor.pid, all)) {
    if (await isNamespaceInit(candidate.pid)) {
      return { init: candidate, members: descendantsOf(candidate.pid, all) };
    }
  }
  return { init: undefined, members: [] };
}

/** A line as `NSpid: 4711 1` lists the process' numbers, that in its own namespace last (proc_pid_status(5)). */
async function isNamespaceInit(pid: number): Promise<boolean> {
  try {
    return /^NSpid:.*\s1$/m.test(await readFile(`/proc/${pid}/status`, 'utf8'));
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
