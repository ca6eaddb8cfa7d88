import type { Clock, Logger } from '@latent/kit';
import { toLatentError } from '@latent/protocol';

interface RunEvery {
  readonly periodMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Runs `work` again and again, `periodMs` after it has ended, until the signal aborts. A failure is logged, and it goes on. */
export async function runEvery(
  { periodMs, clock, logger, signal }: RunEvery,
  work: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await clock.sleep(periodMs, { signal });
      await work();
    } catch (thrown) {
      if (!signal.aborted) logger.error({ error: toLatentError(thrown) }, 'upkeep failed');
    }
  }
}
