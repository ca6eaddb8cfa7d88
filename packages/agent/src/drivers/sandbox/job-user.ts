import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { LatentError } from '@latent/protocol';
import { systemPath } from '../supervised/system-path.ts';

/** systemd's list of user numbers leaves 0x70000000 to 0x7fffffff to nobody (systemd.io/UIDS-GIDS). */
const firstUid = 0x70000000;
const uidBits = 24;

/**
 * The user on the machine as which a job runs when the agent is root: one that owns nothing else, so that a job that
 * leaves its sandbox is nobody. Jobs that happen to share a number are kept apart by their namespaces alone.
 */
export function jobUid(jobId: string): number {
  const digest = createHash('sha256').update(jobId).digest();
  return firstUid + (digest.readUInt32BE(0) >>> (32 - uidBits));
}

const giveLimitMs = 120_000;

/** Makes the user the owner of the folder and of all in it. Links are not followed. @throws LatentError DRIVER_FAILED */
export async function giveFolder(folder: string, uid: number, signal: AbortSignal): Promise<void> {
  try {
    await promisify(execFile)('chown', ['-R', '-h', '-P', `${uid}:${uid}`, '--', folder], {
      env: { PATH: systemPath },
      timeout: giveLimitMs,
      signal,
    });
  } catch (error) {
    throw new LatentError('DRIVER_FAILED', `The folder ${folder} could not be given to the job.`, { cause: error });
  }
}
