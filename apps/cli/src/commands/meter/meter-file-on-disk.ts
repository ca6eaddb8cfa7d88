import { constants } from 'node:fs';
import { type FileHandle, link, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LatentError } from '@latent/protocol';
import { MAX_METER_FILE_BYTES } from '@latent/sdk';

const OTHERS_BITS = 0o077;

/** A place for a meter's file that was made sure of before anything was handed over. */
export interface MeterFileSlot {
  /** On the disk when it returns. @throws LatentError CONFIG_INVALID */
  write(text: string): Promise<void>;
  /** Takes away what is not needed. */
  close(): Promise<void>;
}

/**
 * @param mark sets the temporary file apart from others
 * @throws LatentError CONFIG_INVALID if something is there already, or nothing can be written there
 */
export async function openMeterFileSlot(path: string, mark: string): Promise<MeterFileSlot> {
  const temporary = `${path}.${mark}.new`;
  const file = await openFor(path, () => open(temporary, 'wx', 0o600));
  return {
    write: async (text) => {
      await openFor(path, async () => {
        await file.writeFile(text);
        await file.sync();
        // Unlike a rename, a link never replaces a file.
        await link(temporary, path);
        const folder = await open(dirname(path), 'r');
        await folder.sync().finally(() => folder.close());
      });
    },
    close: async () => {
      await file.close();
      await unlink(temporary);
    },
  };
}

/** @throws LatentError CONFIG_INVALID: not there, open to others, too long */
export async function readMeterFile(path: string): Promise<string> {
  // A link could lead to a file that somebody else can change.
  const file = await openFor(path, () => open(path, constants.O_RDONLY | constants.O_NOFOLLOW));
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw refused(path, 'it is not a file');
    if ((stat.mode & OTHERS_BITS) !== 0)
      throw refused(path, 'others can read it; chmod 600 it, and trust it no longer');
    if (stat.size > MAX_METER_FILE_BYTES) throw refused(path, `it is longer than ${MAX_METER_FILE_BYTES} bytes`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

async function openFor<T = FileHandle>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'it failed';
    throw refused(path, code === 'EEXIST' ? 'there is a file already' : code, cause);
  }
}

function refused(path: string, why: string, cause?: unknown): LatentError {
  return new LatentError('CONFIG_INVALID', `The meter’s file ${path}: ${why}.`, cause === undefined ? {} : { cause });
}
