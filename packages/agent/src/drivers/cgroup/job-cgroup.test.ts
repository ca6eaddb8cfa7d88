import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@latent/kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CgroupTree } from './find-cgroup-tree.ts';
import {
  cgroupPids,
  cgroupStats,
  createJobCgroup,
  hasRunOutOfMemory,
  jobCgroupIn,
  jobCgroupSchema,
  limitSettings,
  procsFiles,
  removeJobCgroup,
} from './job-cgroup.ts';
import { readyTree } from './open-cgroup-tree.ts';

const limits = { memoryBytes: 64 << 20, cpus: 0.5, processes: 32 };

/** A folder in place of the cgroup file system: what is written and read is seen, what the kernel makes of it is not. */
describe('cgroups in a folder', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'latent-cgroup-'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const unified = (): CgroupTree => ({ version: 2, mount: root, parent: join(root, 'latent') });
  const split = (): CgroupTree => ({
    version: 1,
    parents: { memory: join(root, 'memory'), cpu: join(root, 'cpu'), pids: join(root, 'pids') },
  });
  const read = (...path: string[]) => readFile(join(root, ...path), 'utf8');

  test('version 2: hands the controllers down and sets the limits', async () => {
    await writeFile(join(root, 'cgroup.controllers'), 'cpuset cpu io memory pids\n');
    await writeFile(join(root, 'cgroup.subtree_control'), '');
    await readyTree(unified());
    expect(await read('cgroup.subtree_control')).toBe('+memory +cpu +pids');
    expect(await read('latent', 'cgroup.subtree_control')).toBe('+memory +cpu +pids');
    const cgroup = jobCgroupIn(unified(), 'job-1');
    await createJobCgroup(cgroup, limits, { overhead: 2, clock: systemClock });
    expect(await read('latent', 'job-1', 'memory.max')).toBe('67108864');
    expect(await read('latent', 'job-1', 'memory.swap.max')).toBe('0');
    expect(await read('latent', 'job-1', 'cpu.max')).toBe('50000 100000');
    expect(await read('latent', 'job-1', 'pids.max')).toBe('34');
    expect(procsFiles(cgroup)).toEqual([join(root, 'latent', 'job-1', 'cgroup.procs')]);
  });

  test('version 2: moves an agent that owns its own cgroup alone out of the way', async () => {
    await writeFile(join(root, 'cgroup.controllers'), 'cpu memory pids\n');
    await writeFile(join(root, 'cgroup.subtree_control'), '');
    await readyTree({ version: 2, mount: root, parent: join(root, 'latent'), agentLeaf: join(root, 'agent') });
    expect(await read('agent', 'cgroup.procs')).toBe(String(process.pid));
  });

  test('version 2: is no use where a controller is still in version 1', async () => {
    await writeFile(join(root, 'cgroup.controllers'), 'hugetlb\n');
    await expect(readyTree(unified())).rejects.toThrow(/memory, cpu, pids are not in cgroup2/);
  });

  test('version 1: sets the limits in one folder per controller', async () => {
    await readyTree(split());
    const cgroup = jobCgroupIn(split(), 'job-1');
    await createJobCgroup(cgroup, limits, { overhead: 0, clock: systemClock });
    expect(await read('memory', 'job-1', 'memory.limit_in_bytes')).toBe('67108864');
    expect(await read('cpu', 'job-1', 'cpu.cfs_quota_us')).toBe('50000');
    expect(await read('pids', 'job-1', 'pids.max')).toBe('32');
    expect(procsFiles(cgroup).length).toBe(3);
  });

  test('never asks for less CPU than the kernel can deal out', () => {
    const settings = limitSettings(jobCgroupIn(unified(), 'j'), { ...limits, cpus: 0.0001 }, 0);
    expect(settings.find((one) => one.path.endsWith('cpu.max'))?.value).toBe('1000 100000');
  });

  test('version 2: reads usage, processes and the out-of-memory count', async () => {
    const cgroup = jobCgroupIn(unified(), 'job-1');
    const at = (name: string) => join(root, 'latent', 'job-1', name);
    await mkdir(join(root, 'latent', 'job-1'), { recursive: true });
    await writeFile(at('cgroup.procs'), '10\n11\n12\n');
    await writeFile(at('cpu.stat'), 'usage_usec 2500000\nuser_usec 2000000\n');
    await writeFile(at('memory.current'), '1048576\n');
    await writeFile(at('memory.events'), 'low 0\noom 1\noom_kill 0\n');
    expect(await cgroupPids(cgroup)).toEqual([10, 11, 12]);
    expect(await cgroupStats(cgroup, 2)).toEqual({ cpuSeconds: 2.5, memoryBytes: 1_048_576, processes: 1 });
    expect(await hasRunOutOfMemory(cgroup)).toBe(false);
    await writeFile(at('memory.events'), 'low 0\noom 1\noom_kill 3\n');
    expect(await hasRunOutOfMemory(cgroup)).toBe(true);
  });

  test('version 1: reads usage, processes and the out-of-memory count', async () => {
    const tree: CgroupTree = {
      version: 1,
      parents: { memory: join(root, 'memory'), cpuacct: join(root, 'acct'), pids: join(root, 'pids') },
    };
    const cgroup = jobCgroupIn(tree, 'job-1');
    for (const name of ['memory', 'acct', 'pids']) await mkdir(join(root, name, 'job-1'), { recursive: true });
    await writeFile(join(root, 'memory', 'job-1', 'cgroup.procs'), '10\n');
    await writeFile(join(root, 'memory', 'job-1', 'memory.usage_in_bytes'), '4096\n');
    await writeFile(join(root, 'memory', 'job-1', 'memory.oom_control'), 'under_oom 0\noom_kill 1\n');
    await writeFile(join(root, 'acct', 'job-1', 'cpuacct.usage'), '1500000000\n');
    expect(await cgroupStats(cgroup, 0)).toEqual({ cpuSeconds: 1.5, memoryBytes: 4096, processes: 1 });
    expect(await hasRunOutOfMemory(cgroup)).toBe(true);
  });

  test('says zero of a cgroup that is gone, and removes it again without complaint', async () => {
    const cgroup = jobCgroupIn(split(), 'never');
    expect(await cgroupStats(cgroup, 2)).toEqual({ cpuSeconds: 0, memoryBytes: 0, processes: 0 });
    await removeJobCgroup(cgroup, systemClock);
    expect(await readdir(root)).toEqual([]);
  });

  test('survives the way through a handle', () => {
    for (const tree of [unified(), split()]) {
      const cgroup = jobCgroupIn(tree, 'job-1');
      expect(jobCgroupSchema.parse(JSON.parse(JSON.stringify(cgroup)))).toEqual(cgroup);
    }
  });
});
