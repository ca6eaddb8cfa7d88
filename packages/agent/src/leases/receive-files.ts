import {
  type FilesResult,
  LatentError,
  type LeaseId,
  MAX_FILES_BYTES,
  MAX_FILES_ENTRIES,
  type PeerKey,
} from '@latent/protocol';
import { unpackFiles } from '@latent/sdk';
import { jobFolders, makeJobFolders } from './job-folders.ts';
import { findForCaller, type LeaseDesk } from './lease-desk.ts';

/**
 * Unpacks a renter's files into the member's folder, before the job starts. Hostile archives are refused whole.
 * @throws LatentError MEMBER_NOT_STARTED (too late), JOB_FILES_TOO_LARGE, MESSAGE_INVALID, NOT_ALLOWED
 */
export async function receiveFiles(
  desk: LeaseDesk,
  caller: PeerKey,
  leaseId: LeaseId,
  archive: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<FilesResult> {
  return desk.lock.run(leaseId, async () => {
    const record = findForCaller(desk, leaseId, caller);
    if (record.state !== 'attached') {
      throw new LatentError('NOT_ALLOWED', `Files can be sent before the job starts; the member is ${record.state}.`, {
        details: { leaseId },
      });
    }
    const folders = jobFolders(desk.context.options.dataDir, leaseId);
    await makeJobFolders(folders);
    return unpackFiles(archive, {
      folder: folders.work,
      signal,
      overwrite: true,
      limits: { maxBytes: MAX_FILES_BYTES, maxEntries: MAX_FILES_ENTRIES },
    });
  });
}
