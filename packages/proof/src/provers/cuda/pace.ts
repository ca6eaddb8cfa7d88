import { toLatentError } from '@latent/protocol';
import type { CudaContext } from './context.ts';

/** Steps between two marks, and marks that are waited for at most: so many steps are still done after a stop. */
const STEPS_PER_MARK = 4;
const MARKS_AHEAD = 2;

/** Keeps a device busy and its queue short. */
export interface Pace {
  /** To be called after each step was queued. Rejects with `CANCELLED` when stopped, after what is queued was done. */
  readonly step: () => Promise<void>;
  /** Waits for all steps. */
  readonly end: () => Promise<void>;
}

/** @param onProgress is told the steps that are done */
export function startPace(
  context: CudaContext,
  signal: AbortSignal,
  onProgress: ((stepsDone: number) => void) | undefined,
  stepsPerMark: number = STEPS_PER_MARK,
): Pace {
  const marks: { readonly steps: number; readonly come: () => Promise<void> }[] = [];
  let steps = 0;
  let marked = 0;

  const setMark = () => {
    marks.push({ steps, come: context.mark() });
    marked = steps;
  };

  async function awaitOldest(): Promise<void> {
    const oldest = marks.shift();
    await oldest?.come();
    if (oldest !== undefined && !signal.aborted) onProgress?.(oldest.steps);
  }

  async function finish(): Promise<void> {
    if (steps > marked) setMark();
    while (marks.length > 0) await awaitOldest();
    if (signal.aborted) throw toLatentError(signal.reason);
  }

  return {
    step: async () => {
      steps++;
      if (signal.aborted) return finish();
      if (steps - marked < stepsPerMark) return;
      setMark();
      if (marks.length > MARKS_AHEAD) await awaitOldest();
    },
    end: finish,
  };
}
