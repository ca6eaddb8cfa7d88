import { readFile } from 'node:fs/promises';
import { cgroupPids } from '../cgroup/job-cgroup.ts';
import { hasErrno, isMissing } from '../is-missing.ts';
import { findSupervisor } from '../supervised/find-supervisor.ts';
import { descendantsOf, type ProcessInfo, readProcesses } from '../supervised/process-table.ts';
import type { SupervisedJob } from '../supervised/supervised-job.ts';

/** Set in the environment of everything that a job starts; its value is the state folder, which no two jobs share. */
export const markName = 'LATENT_JOB_MARK';

/**
 * Every process of the job. With a cgroup the kernel keeps the list, and nothing leaves it. Without one a process is the
 * job's if it descends from the supervisor, carries the mark in its environment, or is in a session with one that does.
 * What escapes all three has detached itself, left the session, wiped its environment and lost its parent, on purpose;
 * no unprivileged means on Linux holds it (a subreaper would have to live as long as the job, which a shell cannot be).
 */
export async function jobProcesses(job: SupervisedJob): Promise<readonly ProcessInfo[]> {
  const all = await readProcesses();
  if (job.cgroup !== undefined) {
    const pids = new Set(await cgroupPids(job.cgroup));
    return all.filter((info) => pids.has(info.pid));
  }
  // The supervisor and the writer of the output are in the supervisor's session; the job is not.
  const isJobs = (info: ProcessInfo) => info.session !== job.supervisor.pid;
  const descendants = findSupervisor(job, all) === undefined ? [] : descendantsOf(job.supervisor.pid, all);
  const found = new Map(descendants.filter(isJobs).map((info) => [info.pid, info]));
  const marked = await Promise.all(all.map(async (info) => ((await carriesMark(info, job)) ? [info] : [])));
  for (const info of marked.flat().filter(isJobs)) found.set(info.pid, info);
  const sessions = new Set([...found.values()].map((info) => info.session));
  return all.filter((info) => found.has(info.pid) || (isJobs(info) && info.session > 1 && sessions.has(info.session)));
}

async function carriesMark(info: ProcessInfo, job: SupervisedJob): Promise<boolean> {
  try {
    const environ = await readFile(`/proc/${info.pid}/environ`, 'latin1');
    const mark = Buffer.from(`${markName}=${job.stateDir}`).toString('latin1');
    return environ.split('\0').includes(mark);
  } catch (error) {
    // Another user's process is not ours.
    if (isMissing(error) || hasErrno(error, 'EACCES') || hasErrno(error, 'EPERM')) return false;
    throw error;
  }
}
