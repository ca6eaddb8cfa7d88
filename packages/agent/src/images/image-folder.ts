import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isMissing } from '../drivers/is-missing.ts';

/**
 * What of an image belongs to one lease: which one it is, and what its jobs changed. As long as the folder is there the image
 * is kept, whatever becomes of the agent.
 */
const pinSchema = z.object({
  /** The name, as the job has it. */
  image: z.string(),
  /** Of the manifest that the name led to when the first step of the job was prepared. Later steps get the same. */
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
});
export type ImagePin = z.infer<typeof pinSchema>;

const fileName = 'image.json';

export async function pinImage(folder: string, pin: ImagePin): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const part = join(folder, `${fileName}.part`);
  await writeFile(part, JSON.stringify(pin), { mode: 0o600 });
  await rename(part, join(folder, fileName));
}

export async function readImagePin(folder: string): Promise<ImagePin | undefined> {
  try {
    return pinSchema.parse(JSON.parse(await readFile(join(folder, fileName), 'utf8')));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Digests of the images of all leases that have a folder below `jobs`, as `jobs/LEASE/image`. */
export async function pinnedImages(jobs: string): Promise<ReadonlySet<string>> {
  const names = await readdir(jobs).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const pins = await Promise.all(names.map((name) => readImagePin(join(jobs, name, 'image'))));
  return new Set(pins.flatMap((pin) => pin?.digest ?? []));
}
