import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';

/**
 * Writes a file so that after a crash at any point there is the old content or the new one, never a part.
 * @param mode of the file, `0o600` where it holds a key
 */
export function writeFileAtomically(path: string, content: string, mode: number): void {
  const part = `${path}.${randomUUID()}.part`;
  const file = openSync(part, 'wx', mode);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    renameSync(part, path);
  } catch (thrown) {
    rmSync(part, { force: true });
    throw thrown;
  }
}
