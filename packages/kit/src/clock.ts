import { setTimeout as sleepFor } from 'node:timers/promises';

/** Time, passed in so that tests need not wait for it. */
export interface Clock {
  /** Unix milliseconds. May jump when the machine's clock is set. */
  nowMs(): number;
  /**
   * Resolves after `ms` milliseconds, at once if there are none.
   * @throws AbortError (its cause is the signal's reason) when the signal aborts first
   */
  sleep(ms: number, options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/** Timers of JavaScript hold no more; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: async (ms, { signal } = {}) => {
    const options = signal === undefined ? {} : { signal };
    let leftMs = Math.max(0, ms);
    for (; leftMs > MAX_TIMER_MS; leftMs -= MAX_TIMER_MS) await sleepFor(MAX_TIMER_MS, undefined, options);
    await sleepFor(leftMs, undefined, options);
  },
};
