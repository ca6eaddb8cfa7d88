import { readdir, readFile } from 'node:fs/promises';

/** `getconf CLK_TCK` of every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
/** Places of user and system time behind the name in `/proc/PID/stat`, which may hold blanks itself. */
const USER_TIME_AT = 11;

/** CPU time of a process since its start, all threads, in seconds; to a hundredth. */
export async function readCpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[USER_TIME_AT]) + Number(fields[USER_TIME_AT + 1])) / TICKS_PER_SECOND;
}

/** Open descriptors of a process. */
export async function countDescriptors(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}
