import { createHash } from 'node:crypto';

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
