import { constants } from 'node:fs';
import { type FileHandle, link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

const OTHERS_BITS = 0o077;

/** A secret that cannot be used: its file is open to others, of the wrong length, or cannot be read or written. */
export class SecretFileError extends Error {
  override readonly name = 'SecretFileError';
  readonly path: string;

  constructor(path: string, message: string, cause?: unknown) {
    super(`${path}: ${message}`, cause === undefined ? undefined : { cause });
    this.path = path;
  }
}

/**
 * Reads a secret of `size` bytes, or makes it where there is none: mode 0600, in a folder of mode 0700 if that is missing
 * too, and on the disk before this resolves. It never replaces a file: of two processes that start at once both get the
 * secret of one.
 * @param randomBytes a secure source
 * @throws SecretFileError
 */
export async function loadOrCreateSecret(
  path: string,
  size: number,
  randomBytes: (size: number) => Uint8Array,
): Promise<Uint8Array> {
  try {
    const existing = await readSecret(path, size);
    if (existing !== undefined) return existing;
    await createSecret(path, randomBytes(size), Buffer.from(randomBytes(8)).toString('hex'));
    const created = await readSecret(path, size);
    if (created !== undefined) return created;
  } catch (thrown) {
    if (thrown instanceof SecretFileError) throw thrown;
    throw new SecretFileError(path, 'the secret could not be read or made', thrown);
  }
  throw new SecretFileError(path, 'the secret was removed while it was being made');
}

async function readSecret(path: string, size: number): Promise<Uint8Array | undefined> {
  let file: FileHandle;
  try {
    // A link could lead to a file that somebody else can change.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (thrown) {
    if (isCode(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new SecretFileError(path, 'not a file');
    if ((stat.mode & OTHERS_BITS) !== 0) {
      const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
      throw new SecretFileError(
        path,
        `others can get at it (mode ${mode}); chmod 600 it, or better, make a new secret`,
      );
    }
    if (process.getuid !== undefined && stat.uid !== process.getuid()) {
      throw new SecretFileError(path, `it belongs to another user (uid ${stat.uid})`);
    }
    if (stat.size !== size) throw new SecretFileError(path, `${stat.size} bytes instead of ${size}`);
    return new Uint8Array(await file.readFile());
  } finally {
    await file.close();
  }
}

/** @param mark sets the temporary file apart from those of others who are at it at the same time */
async function createSecret(path: string, secret: Uint8Array, mark: string): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = `${path}.${mark}.new`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(secret);
    await file.sync();
    // Unlike a rename, a link fails when another process was first.
    await link(temporary, path);
  } catch (thrown) {
    if (!isCode(thrown, 'EEXIST')) throw thrown;
  } finally {
    await file.close();
    await unlink(temporary);
  }
  await syncFolder(folder);
}

/** The name of a new file is on the disk only when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code;
}
