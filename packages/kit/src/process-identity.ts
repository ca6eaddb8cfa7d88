import { readFileSync } from 'node:fs';
import { z } from 'zod';

/**
 * One process, once and for all: a pid alone is used again. `birth` is the machine's boot and the clock tick at which
 * the process started; null on systems that do not tell (no /proc), where the pid has to do.
 */
export const processIdentitySchema = z.strictObject({
  pid: z.int().min(2),
  birth: z.string().max(100).nullable(),
});
export type ProcessIdentity = z.infer<typeof processIdentitySchema>;

/** Identity of a process that exists now; of one that does not, an identity that is never running. */
export function identifyProcess(pid: number): ProcessIdentity {
  const boot = readOrUndefined('/proc/sys/kernel/random/boot_id');
  if (boot === undefined) return { pid, birth: null };
  return { pid, birth: `${boot.trim()}/${readStat(pid)?.startTicks ?? 'gone'}` };
}

/** True while that very process runs: false once it has ended, and if another one has its number. */
export function isRunning(identity: ProcessIdentity): boolean {
  if (identity.birth !== null) {
    const stat = readStat(identity.pid);
    return stat !== undefined && !stat.ended && identifyProcess(identity.pid).birth === identity.birth;
  }
  try {
    process.kill(identity.pid, 0);
    return true;
  } catch {
    // EPERM is somebody else's process, so not the one that was started here.
    return false;
  }
}

/**
 * Sends a signal to a process, or with `wholeGroup` to its process group; nothing if it has ended.
 * @returns whether it was there
 */
export function signalProcess(
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
  { wholeGroup = false }: { readonly wholeGroup?: boolean } = {},
): boolean {
  if (!isRunning(identity)) return false;
  try {
    process.kill(wholeGroup ? -identity.pid : identity.pid, signal);
    return true;
  } catch (thrown) {
    if (hasCode(thrown, 'ESRCH')) return false;
    throw thrown;
  }
}

interface Stat {
  readonly startTicks: string;
  /** Ended, but its parent has not asked for its exit code yet. */
  readonly ended: boolean;
}

/** From /proc/<pid>/stat, proc(5). The process's name in it may hold blanks and brackets, hence the last one. */
function readStat(pid: number): Stat | undefined {
  const line = readOrUndefined(`/proc/${pid}/stat`);
  if (line === undefined) return undefined;
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state = ''] = fields;
  const startTicks = fields[19];
  return startTicks === undefined ? undefined : { startTicks, ended: state === 'Z' || state === 'X' };
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    // ESRCH: it ended while it was being read.
    if (hasCode(thrown, 'ENOENT') || hasCode(thrown, 'ESRCH')) return undefined;
    throw thrown;
  }
}

function hasCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code;
}
