import { readFile, writeFile } from 'node:fs/promises';
import { LatentError } from '@latent/protocol';
import { z } from 'zod';
import { isMissing } from '../is-missing.ts';
import type { JobFiles } from './job-files.ts';

/** What a command needs to know to run beside the job, kept in the job's state folder. */
const surroundingsSchema = z.object({
  env: z.record(z.string(), z.string()),
  workdir: z.string(),
  /** Shell lines that set the limits which no cgroup keeps. */
  limitLines: z.string(),
  /** User that the job runs as, where the agent is root. */
  uid: z.int().optional(),
  /** Where bubblewrap found the files of the job's image and the renter's, and which namespace shows them there. */
  image: z
    .object({
      root: z.string(),
      workdir: z.string(),
      shmBytes: z.int(),
      held: z.enum(['as-root', 'as-root-of-namespace', 'no']),
    })
    .optional(),
  /** File that stands for the network namespace, where the job is not in the machine's own. */
  namespacePath: z.string().optional(),
});
export type Surroundings = z.infer<typeof surroundingsSchema>;

export async function saveSurroundings(files: JobFiles, surroundings: Surroundings): Promise<void> {
  await writeFile(files.surroundings, JSON.stringify(surroundings), { mode: 0o600 });
}

/** @throws LatentError MEMBER_NOT_STARTED where they are gone. */
export async function readSurroundings(files: JobFiles): Promise<Surroundings> {
  try {
    return surroundingsSchema.parse(JSON.parse(await readFile(files.surroundings, 'utf8')));
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new LatentError('MEMBER_NOT_STARTED', 'The surroundings of the job are gone.', { cause: error });
  }
}
