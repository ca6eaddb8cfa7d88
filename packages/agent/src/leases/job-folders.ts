import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LeaseId } from '@latent/protocol';
import type { StepName } from './member-record.ts';

/** Folders of one member below the agent's data folder. */
export interface JobFolders {
  /** File-name safe, unique on the machine: agents of other data folders may be members of the same lease. */
  readonly name: string;
  readonly root: string;
  /** The renter's files; the job's working folder. */
  readonly work: string;
  /** Of the driver, for what the job changes of its image. */
  readonly image: string;
  /** Of the driver, for each step. */
  readonly state: Readonly<Record<StepName, string>>;
}

export function jobFolders(dataDir: string, leaseId: LeaseId): JobFolders {
  const name = createHash('sha256').update(`${dataDir}\n${leaseId}`).digest('hex').slice(0, 32);
  const root = join(dataDir, 'jobs', name);
  const state = { setup: join(root, 'setup'), run: join(root, 'run'), shell: join(root, 'shell') };
  return { name, root, work: join(root, 'work'), image: join(root, 'image'), state };
}

export async function makeJobFolders(folders: JobFolders): Promise<void> {
  for (const folder of [folders.root, folders.work, folders.image, ...Object.values(folders.state)]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
}

/** Nothing of a lease stays for the next one. */
export async function removeJobFolders(folders: JobFolders): Promise<void> {
  await rm(folders.root, { recursive: true, force: true });
}
