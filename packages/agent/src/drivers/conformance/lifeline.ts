import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { JobSpec } from '../driver.ts';
import { hasErrno } from '../is-missing.ts';

/** A named pipe `lifeline` in the job's folder. Whatever the job starts after `exec 8>lifeline` holds it open for life. */
export interface Lifeline {
  /** True while a process of the job lives; what was written into it is thrown away. */
  hasHolders(): Promise<boolean>;
  close(): Promise<void>;
}

export async function openLifeline(spec: JobSpec): Promise<Lifeline> {
  const path = join(spec.workdir, 'lifeline');
  await promisify(execFile)('mkfifo', [path], { timeout: 10_000 });
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return {
    async hasHolders() {
      try {
        return (await file.read(Buffer.alloc(1), 0, 1, null)).bytesRead > 0;
      } catch (error) {
        if (hasErrno(error, 'EAGAIN')) return true;
        throw error;
      }
    },
    close: () => file.close(),
  };
}
