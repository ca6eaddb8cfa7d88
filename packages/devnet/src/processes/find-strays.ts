import { readdirSync, readlinkSync } from 'node:fs';
import { sep } from 'node:path';
import { identifyProcess, type ProcessIdentity } from '@latent/kit';
import { hasCode } from '../files/has-code.ts';

const WRITES_TO = [1, 2] as const;

/**
 * Processes whose standard output or error goes into one of these folders: jobs that outlived their agent, and what was
 * started in the instant before its starter was killed, so that nobody wrote its pid down. Never the caller itself.
 * Empty on systems without /proc.
 */
export function findStrays(folders: readonly string[]): readonly ProcessIdentity[] {
  const within = (path: string) => folders.some((folder) => path.startsWith(folder + sep));
  return listProcesses()
    .filter((pid) => pid !== process.pid && WRITES_TO.some((fd) => within(targetOf(pid, fd))))
    .map(identifyProcess);
}

function listProcesses(): readonly number[] {
  try {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => Number.isSafeInteger(pid) && pid > 1);
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT')) return [];
    throw thrown;
  }
}

/** Empty for a process that has ended or belongs to another user: neither is a stray of ours. */
function targetOf(pid: number, fd: number): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return '';
  }
}
