import { access, open, readdir, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { FileView } from './discovery-system.ts';

/** Longest text that is read of a file. Those of sysfs are a line; a file that never ends must not be read to its end. */
const MOST_BYTES = 4096;

/** Missing in the way of "there is no such thing", which is an answer; all other failures are failures. */
const ABSENT: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'EINVAL', 'ENODEV']);

/** @param root `/`, or a folder that looks like it */
export function createFileView(root: string): FileView {
  const at = (path: string) => join(root, path);
  return {
    readText: (path) => ifThere(readStart(at(path))),
    list: (path) => ifThere(readdir(at(path))),
    linkTarget: (path) => ifThere(readlink(at(path)).then((target) => basename(target))),
    exists: async (path) => (await ifThere(access(at(path)).then(() => true))) ?? false,
  };
}

async function readStart(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_BYTES), 0, MOST_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead).trim();
  } finally {
    await file.close();
  }
}

async function ifThere<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && 'code' in error && ABSENT.has(error.code)) return undefined;
    throw error;
  }
}
