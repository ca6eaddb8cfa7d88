import { LatentError, MAX_FILES_BYTES, MAX_FILES_ENTRIES } from '@latent/protocol';
import { packFiles } from '@latent/sdk';
import type { StreamReply } from '@latent/transport';
import { jobFolders } from '../leases/job-folders.ts';
import type { LeaseDesk } from '../leases/lease-desk.ts';
import type { MemberRecord } from '../leases/member-record.ts';

/**
 * Packs files of a member's folder for its renter. The job may have put anything there: links are not followed, and
 * paths that leave the folder are refused.
 * @throws LatentError NOT_ALLOWED, JOB_FILE_INVALID (no such file), JOB_FILES_TOO_LARGE
 */
export async function sendFiles(
  desk: LeaseDesk,
  record: MemberRecord,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<StreamReply<Record<string, never>>> {
  const { work } = jobFolders(desk.context.options.dataDir, record.leaseId);
  const sources = paths.map((path) => {
    const parts = path.split('/').filter((part) => part !== '' && part !== '.');
    if (path.startsWith('/') || parts.includes('..') || parts.length === 0) {
      throw new LatentError('NOT_ALLOWED', `"${path}" does not lie below the job's folder.`, { details: { path } });
    }
    const from = parts.join('/');
    return { root: work, from, at: from, ignoreRules: false };
  });
  const packed = await packFiles(sources, {
    signal,
    limits: { maxBytes: MAX_FILES_BYTES, maxEntries: MAX_FILES_ENTRIES },
  });
  const [missing] = packed.missing;
  if (missing !== undefined) {
    throw new LatentError('JOB_FILE_INVALID', `The job's folder has no ${missing}.`, {
      details: { missing: packed.missing },
    });
  }
  return {
    result: {},
    run: async (channel) => {
      for await (const chunk of packed.stream({ signal })) await channel.sendBytes(chunk);
      await channel.sendJson({ entries: packed.entries, bytes: packed.bytes });
    },
  };
}
