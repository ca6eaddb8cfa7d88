import { readFile, rename, writeFile } from 'node:fs/promises';
import { type ProcessIdentity, processIdentitySchema } from '@latent/kit';
import { isMissing } from '../drivers/is-missing.ts';

/** Writes down which process it is, on disk before this resolves, for the next life of the agent. */
export async function saveProcess(file: string, identity: ProcessIdentity): Promise<void> {
  const fresh = `${file}.new`;
  await writeFile(fresh, JSON.stringify(identity), { mode: 0o600, flush: true });
  await rename(fresh, file);
}

/** The process that was written down; undefined where none was. @throws what went wrong with reading it */
export async function readProcess(file: string): Promise<ProcessIdentity | undefined> {
  try {
    return processIdentitySchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
}
