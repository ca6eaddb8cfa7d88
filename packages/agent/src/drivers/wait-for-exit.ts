import type { Clock } from '@latent/kit';
import { cancelled } from './cancelled.ts';
import type { JobExit, JobState } from './driver.ts';
import { watchFolder } from './folder-changes.ts';

export interface WaitOptions {
  /** Folder in which something changes when the job ends. */
  readonly folder: string;
  readonly state: () => Promise<JobState>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** @throws LatentError CANCELLED */
export async function waitForExit({ folder, state, clock, signal }: WaitOptions): Promise<JobExit> {
  const changes = watchFolder(folder, { clock, signal });
  try {
    for (;;) {
      if (signal.aborted) throw cancelled(signal);
      const now = await state();
      if (now.kind === 'exited') return now.exit;
      if (now.kind === 'gone') return { code: -1, reason: 'the job is gone' };
      await changes.next();
    }
  } catch (error) {
    throw signal.aborted ? cancelled(signal) : error;
  } finally {
    changes.close();
  }
}
