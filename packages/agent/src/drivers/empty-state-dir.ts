import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from './is-missing.ts';
import { forgetHandle } from './saved-handle.ts';

/** The handle goes first: without it the job is gone, whatever else a crash leaves behind. Fine where nothing is. */
export async function emptyStateDir(stateDir: string): Promise<void> {
  await forgetHandle(stateDir);
  for (const name of await namesIn(stateDir)) await rm(join(stateDir, name), { recursive: true, force: true });
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
