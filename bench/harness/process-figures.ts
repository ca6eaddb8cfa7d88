import { readdir, readFile } from 'node:fs/promises';

/** `getconf CLK_TCK` of every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
/** Places of user and system time behind the name in `/proc/PID/stat`, which may hold blanks itself. */
const USER_TIME_AT = 11;
const BYTES_PER_KIB = 1024;

/** CPU time of a process since its start, all threads, in seconds; to a hundredth. */
export async function readCpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[USER_TIME_AT]) + Number(fields[USER_TIME_AT + 1])) / TICKS_PER_SECOND;
}

/** Memory of a process that is in use by it, in bytes. */
export async function readRssBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) * BYTES_PER_KIB;
}

/** Open descriptors of a process. */
export async function countDescriptors(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}
