import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { JobHandle } from './driver.ts';
import { isMissing } from './is-missing.ts';

const fileName = 'handle.json';
const maxHandleChars = 4096;

export const jobHandleSchema = z.object({
  driver: z.enum(['sandbox', 'docker', 'process', 'mock']),
  jobId: z.string().max(64),
  state: z.record(z.string().max(64), z.union([z.string().max(maxHandleChars), z.number()])),
});

/**
 * Keeps the handle in the job's state folder, written whole or not at all. Drivers do this before the job's first
 * instruction, so that an agent killed inside `start` can still find what it started.
 */
export async function saveHandle(stateDir: string, handle: JobHandle): Promise<void> {
  const part = join(stateDir, `${fileName}.part`);
  await writeFile(part, JSON.stringify(handle), { mode: 0o600 });
  await rename(part, join(stateDir, fileName));
}

/** The handle of the job whose state folder this is, or nothing where no job was started there or it was destroyed. */
export async function savedHandle(stateDir: string): Promise<JobHandle | undefined> {
  try {
    return jobHandleSchema.parse(JSON.parse(await readFile(join(stateDir, fileName), 'utf8')));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export async function forgetHandle(stateDir: string): Promise<void> {
  await rm(join(stateDir, fileName), { force: true });
}
