import { readdir, readFile } from 'node:fs/promises';
import { isMissing } from '../is-missing.ts';

/** A process. `pid` and `startTicks` together are never used twice while the machine is up. */
export interface ProcessId {
  readonly pid: number;
  /** Clock ticks from the machine's start to that of the process. */
  readonly startTicks: number;
}

export interface ProcessInfo extends ProcessId {
  readonly parent: number;
  readonly session: number;
  /** Ended, but not yet reaped by its parent. */
  readonly ended: boolean;
  /** Clock ticks of CPU used by it and by those of its children that it has reaped. */
  readonly cpuTicks: number;
  readonly residentPages: number;
}

/** A line of /proc/<pid>/stat (proc(5)). The name in it may hold blanks and brackets, hence the search for the last one. */
export function parseStat(line: string): ProcessInfo | undefined {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const number = (index: number) => Number(fields[index - 3]);
  const info = {
    pid: Number.parseInt(line, 10),
    startTicks: number(22),
    parent: number(4),
    session: number(6),
    ended: fields[0] === 'Z' || fields[0] === 'X',
    cpuTicks: number(14) + number(15) + number(16) + number(17),
    residentPages: number(24),
  };
  return Number.isSafeInteger(info.pid) && Number.isSafeInteger(info.startTicks) ? info : undefined;
}

export async function readProcess(pid: number): Promise<ProcessInfo | undefined> {
  try {
    return parseStat(await readFile(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** All processes that have not ended. */
export async function readProcesses(): Promise<readonly ProcessInfo[]> {
  const pids = (await readdir('/proc')).map(Number).filter(Number.isSafeInteger);
  const infos = await Promise.all(pids.map(readProcess));
  return infos.filter((info) => info !== undefined).filter((info) => !info.ended);
}

/** Children, their children and so on; not the root itself. */
export function descendantsOf(root: number, processes: readonly ProcessInfo[]): readonly ProcessInfo[] {
  const children = Map.groupBy(processes, (info) => info.parent);
  const found: ProcessInfo[] = [];
  const open = [root];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    for (const child of children.get(pid) ?? []) {
      found.push(child);
      open.push(child.pid);
    }
  }
  return found;
}

/** True while the very process runs; false once another one has its number. */
export async function isRunning(process: ProcessId): Promise<boolean> {
  const now = await readProcess(process.pid);
  return now !== undefined && !now.ended && now.startTicks === process.startTicks;
}

/** Changes whenever the machine starts anew. */
export async function readBootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}
