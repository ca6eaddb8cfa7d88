import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { z } from 'zod';
import type { JobLimits, JobStats } from '../driver.ts';
import { hasErrno, isMissing } from '../is-missing.ts';
import type { CgroupTree } from './find-cgroup-tree.ts';

/** The cgroup of one job; goes into the handle, so that a later life of the agent needs not look for it. */
export const jobCgroupSchema = z.discriminatedUnion('version', [
  z.object({ version: z.literal(2), folder: z.string() }),
  z.object({ version: z.literal(1), folders: z.record(z.string(), z.string()) }),
]);
export type JobCgroup = z.infer<typeof jobCgroupSchema>;

export function jobCgroupIn(tree: CgroupTree, jobId: string): JobCgroup {
  if (tree.version === 2) return { version: 2, folder: join(tree.parent, jobId) };
  const folders = Object.entries(tree.parents).map(([name, parent]) => [name, join(parent, jobId)]);
  return { version: 1, folders: Object.fromEntries(folders) };
}

/** Period over which a share of the CPU is dealt out; the kernel's own default. */
const cpuPeriodUs = 100_000;
const minCpuQuotaUs = 1_000;

interface Setting {
  readonly path: string;
  readonly value: string;
  /** Absent where the kernel was built without it, e.g. swap accounting. */
  readonly optional?: boolean;
}

/** The files to write. `overhead`: processes that are not the job's own but count with it. */
export function limitSettings(cgroup: JobCgroup, limits: JobLimits, overhead: number): readonly Setting[] {
  const quota = String(Math.max(minCpuQuotaUs, Math.round(limits.cpus * cpuPeriodUs)));
  const memory = String(limits.memoryBytes);
  const processes = String(limits.processes + overhead);
  if (cgroup.version === 2) {
    const at = (name: string) => join(cgroup.folder, name);
    return [
      { path: at('memory.max'), value: memory },
      { path: at('memory.swap.max'), value: '0', optional: true },
      { path: at('cpu.max'), value: `${quota} ${cpuPeriodUs}` },
      { path: at('pids.max'), value: processes },
    ];
  }
  const at = (controller: string, name: string) => join(cgroup.folders[controller] ?? '', name);
  return [
    { path: at('memory', 'memory.limit_in_bytes'), value: memory },
    { path: at('memory', 'memory.memsw.limit_in_bytes'), value: memory, optional: true },
    { path: at('cpu', 'cpu.cfs_period_us'), value: String(cpuPeriodUs) },
    { path: at('cpu', 'cpu.cfs_quota_us'), value: quota },
    { path: at('pids', 'pids.max'), value: processes },
  ];
}

/** @throws LatentError DRIVER_FAILED; nothing is left then. */
export async function createJobCgroup(
  cgroup: JobCgroup,
  limits: JobLimits,
  options: { readonly overhead: number; readonly clock: Clock },
): Promise<void> {
  try {
    for (const folder of foldersOf(cgroup)) await mkdir(folder, { recursive: true });
    for (const setting of limitSettings(cgroup, limits, options.overhead)) {
      try {
        await writeFile(setting.path, setting.value);
      } catch (error) {
        if (setting.optional !== true) throw error;
      }
    }
  } catch (error) {
    await removeJobCgroup(cgroup, options.clock);
    throw new LatentError('DRIVER_FAILED', 'The limits of the job could not be set.', { cause: error });
  }
}

/** `cgroup.procs` files that a process writes 0 to in order to join. */
export function procsFiles(cgroup: JobCgroup): readonly string[] {
  return foldersOf(cgroup).map((folder) => join(folder, 'cgroup.procs'));
}

export async function cgroupPids(cgroup: JobCgroup): Promise<readonly number[]> {
  const [file] = procsFiles(cgroup);
  const text = file === undefined ? '' : await readOr(file, '');
  return text.split('\n').filter(Boolean).map(Number);
}

/** Usage of everything that ever ran in it. `overhead` as in `limitSettings`. */
export async function cgroupStats(cgroup: JobCgroup, overhead: number): Promise<JobStats> {
  const pids = await cgroupPids(cgroup);
  const processes = Math.max(0, pids.length - overhead);
  if (cgroup.version === 2) {
    const usec = /^usage_usec (\d+)$/m.exec(await readOr(join(cgroup.folder, 'cpu.stat'), ''))?.[1];
    const memory = await readOr(join(cgroup.folder, 'memory.current'), '0');
    return { cpuSeconds: Number(usec ?? 0) / 1e6, memoryBytes: Number(memory), processes };
  }
  const accounted = cgroup.folders['cpuacct'];
  const nanoseconds = accounted === undefined ? '0' : await readOr(join(accounted, 'cpuacct.usage'), '0');
  const memory = await readOr(join(cgroup.folders['memory'] ?? '', 'memory.usage_in_bytes'), '0');
  return { cpuSeconds: Number(nanoseconds) / 1e9, memoryBytes: Number(memory), processes };
}

/** True once the kernel has ended a process of the job for want of memory. */
export async function hasRunOutOfMemory(cgroup: JobCgroup): Promise<boolean> {
  const path =
    cgroup.version === 2
      ? join(cgroup.folder, 'memory.events')
      : join(cgroup.folders['memory'] ?? '', 'memory.oom_control');
  const count = /^oom_kill (\d+)$/m.exec(await readOr(path, ''))?.[1];
  return Number(count ?? 0) > 0;
}

/** A cgroup stays busy for some milliseconds after its last process has ended. */
const removeTries = 100;
const removePauseMs = 10;

/** @throws LatentError DRIVER_FAILED when processes are left in it. */
export async function removeJobCgroup(cgroup: JobCgroup, clock: Clock): Promise<void> {
  for (const folder of foldersOf(cgroup)) {
    for (let tries = 0; !(await removeFolder(folder)); tries += 1) {
      if (tries === removeTries) throw new LatentError('DRIVER_FAILED', `The cgroup ${folder} does not empty.`);
      await clock.sleep(removePauseMs);
    }
  }
}

async function removeFolder(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    if (isMissing(error)) return true;
    if (hasErrno(error, 'EBUSY')) return false;
    throw error;
  }
}

/** Controllers that are mounted together share a folder. */
function foldersOf(cgroup: JobCgroup): readonly string[] {
  return cgroup.version === 2 ? [cgroup.folder] : [...new Set(Object.values(cgroup.folders))];
}

async function readOr(path: string, missing: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return missing;
    throw error;
  }
}
