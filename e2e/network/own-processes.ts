import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { sep } from 'node:path';

export interface OwnProcess {
  readonly pid: number;
  readonly command: string;
}

/**
 * Every process that belongs to a folder: its environment or its command names it, it works below it, or its output goes
 * there. Threads and processes that have ended are none. Never the caller itself.
 */
export function processesOf(folder: string): readonly OwnProcess[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isSafeInteger(pid) && pid > 1 && pid !== process.pid && belongsTo(pid, folder))
    .map((pid) => ({ pid, command: read(pid, 'cmdline').replaceAll('\0', ' ').trim() }));
}

/** SIGKILL to each of them, by its pid. */
export function killAll(processes: readonly OwnProcess[]): void {
  for (const { pid } of processes) killProcess(pid);
}

export function killProcess(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (thrown) {
    // It has ended meanwhile.
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ESRCH')) throw thrown;
  }
}

export function isAlive(pid: number): boolean {
  const stat = read(pid, 'stat');
  return stat !== '' && !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
}

function belongsTo(pid: number, folder: string): boolean {
  if (!isAlive(pid)) return false;
  const names = (text: string) => text.includes(`${folder}${sep}`) || text.includes(`=${folder}\0`);
  const within = (link: string) => target(pid, link) === folder || target(pid, link).startsWith(`${folder}${sep}`);
  return (
    names(read(pid, 'cmdline')) || names(read(pid, 'environ')) || within('cwd') || within('fd/1') || within('fd/2')
  );
}

/** Empty for a process that has ended, or that is another user's. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function target(pid: number, link: string): string {
  try {
    return readlinkSync(`/proc/${pid}/${link}`);
  } catch {
    return '';
  }
}
