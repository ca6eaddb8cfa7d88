import { readFileSync } from 'node:fs';

/**
 * When a process started, in the kernel's clock ticks; empty where that cannot be read (no /proc). With the pid it names
 * one process for as long as the machine runs, even after the pid was given to another.
 */
export function processStartedAt(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name is in brackets and may hold spaces and brackets itself; field 22 is the 20th after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    // The process is gone, or the system has no /proc.
    return '';
  }
}

/** Whether the process that was noted still runs. */
export function isSameProcess({ pid, startedAt }: { readonly pid: number; readonly startedAt: string }): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    // No such process.
    return false;
  }
  return startedAt === '' || processStartedAt(pid) === startedAt;
}
