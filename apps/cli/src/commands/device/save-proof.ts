import { type FileHandle, open, rm } from 'node:fs/promises';
import { LatentError } from '@latent/protocol';

/** Opens a file that must not be there yet. */
type OpenNew = (path: string, flags: 'wx') => Promise<Pick<FileHandle, 'writeFile' | 'sync' | 'close'>>;

/**
 * Writes a proof to a new file, whole or not at all. Never over a file that is there: it may be somebody's only proof.
 * @throws LatentError CONFIG_INVALID if there is one, STORE_FAILED if it cannot be written
 */
export async function saveProof(path: string, text: string, openNew: OpenNew = open): Promise<void> {
  const file = await openNew(path, 'wx').catch((cause: unknown) => {
    throw isThere(cause) ? taken(path, cause) : failed(path, '', cause);
  });
  try {
    try {
      await file.writeFile(text);
      // Some file systems tell of a full disk only now.
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    const isGone = await rm(path, { force: true }).then(
      () => true,
      () => false,
    );
    throw failed(path, isGone ? '' : ' What was written of it is still there, and is no proof.', cause);
  }
}

function taken(path: string, cause: unknown): LatentError {
  return new LatentError('CONFIG_INVALID', `${path} is there already.`, {
    hint: 'Choose another path with --out.',
    cause,
  });
}

function failed(path: string, rest: string, cause: unknown): LatentError {
  // `ENOSPC: no space left on device, write`
  const why = cause instanceof Error ? `: ${cause.message.split(',')[0]}` : '';
  return new LatentError('STORE_FAILED', `${path} cannot be written${why}.${rest}`, {
    hint: 'Make room on the disk, or choose a path with --out in a folder that can be written to.',
    cause,
  });
}

function isThere(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
}
