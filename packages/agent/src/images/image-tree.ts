import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Clock } from '@latent/kit';
import { z } from 'zod';
import { isMissing } from '../drivers/is-missing.ts';
import { hexOf, type ImageFiles, treePath } from './image-files.ts';

const treeSchema = z.object({
  digest: z.string(),
  /** Variables that the image sets. */
  env: z.record(z.string(), z.string()),
  /** Bytes that came out of its layers. */
  bytes: z.int(),
  /** Which start of the machine it was made in. */
  bootId: z.string(),
});

/** An image that lies unpacked, and that nobody changes any more. */
export interface ImageTree {
  readonly digest: string;
  readonly env: Readonly<Record<string, string>>;
  readonly bytes: number;
  /** Its files. */
  readonly root: string;
}

const noteName = 'image.json';
const syncedName = 'synced';
const run = promisify(execFile);

/** The image, if it lies here; it counts as used now. */
export async function openTree(files: ImageFiles, digest: string, clock: Clock): Promise<ImageTree | undefined> {
  const folder = treePath(files, digest);
  try {
    const { env, bytes } = treeSchema.parse(JSON.parse(await readFile(join(folder, noteName), 'utf8')));
    const now = new Date(clock.nowMs());
    await utimes(join(folder, noteName), now, now);
    return { digest, env, bytes, root: join(folder, 'root') };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Where an image is unpacked before it is in its place. @returns the folder for its files, empty */
export async function beginTree(files: ImageFiles, digest: string): Promise<string> {
  const part = `${treePath(files, digest)}.part`;
  await rm(part, { recursive: true, force: true });
  const root = join(part, 'root');
  await mkdir(root, { recursive: true, mode: 0o700 });
  return root;
}

export async function dropTreePart(files: ImageFiles, digest: string): Promise<void> {
  await rm(`${treePath(files, digest)}.part`, { recursive: true, force: true });
}

/**
 * Puts an unpacked image in its place. Its files reach the disk a while later: until they have, a start of the machine
 * throws the image away, as nobody could tell what is missing of it.
 */
export async function finishTree(
  files: ImageFiles,
  of: { readonly digest: string; readonly env: Readonly<Record<string, string>>; readonly bytes: number },
  bootId: string,
): Promise<void> {
  const folder = treePath(files, of.digest);
  const part = `${folder}.part`;
  await writeFile(join(part, noteName), JSON.stringify({ ...of, bootId }), { mode: 0o600 });
  await rename(part, folder);
  void run('sync', ['-f', folder], { timeout: 600_000 })
    .then(() => writeFile(join(folder, syncedName), '', { mode: 0o600 }))
    // Nothing is lost but the image, at the machine's next start.
    .catch(() => undefined);
}

/** Removes what was being unpacked, or removed, when the agent was killed, and what the machine's last stop may have cut. */
export async function sweepTrees(files: ImageFiles, bootId: string): Promise<void> {
  for (const name of await readdir(files.trees)) {
    const folder = join(files.trees, name);
    const isWhole = /^[0-9a-f]{64}$/.test(name) && (await isFromHere(folder, bootId));
    if (!isWhole) await rm(folder, { recursive: true, force: true });
  }
}

async function isFromHere(folder: string, bootId: string): Promise<boolean> {
  if ((await readdir(folder)).includes(syncedName)) return true;
  const note = await readFile(join(folder, noteName), 'utf8').catch(() => '{}');
  const parsed = treeSchema.safeParse(JSON.parse(note));
  return parsed.success && parsed.data.bootId === bootId;
}

/** Renamed first, so that half of an image is never taken for one. */
export async function removeTree(files: ImageFiles, hex: string): Promise<void> {
  const gone = join(files.trees, `${hexOf(hex)}.gone`);
  await rename(join(files.trees, hexOf(hex)), gone);
  await rm(gone, { recursive: true, force: true });
}
