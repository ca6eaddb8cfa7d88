import { COUNTER_STRIDE } from './board.ts';

/** Looks before a worker sleeps: some ten microseconds, about what it costs to be woken. */
const LOOKS = 2_000;

/** Counts that workers wait for. Never used by the main thread, which must not block. */
export interface Counters {
  /** Adds one, and wakes whoever waits if that makes a multiple of `workers`. */
  readonly add: (counter: number) => void;
  /** Returns once every worker has added to it `times` times. */
  readonly wait: (counter: number, times: number) => void;
}

/** @param workers that all add to each counter as often */
export function useCounters(progress: SharedArrayBuffer, workers: number): Counters {
  const counts = new Int32Array(progress);
  return {
    add(counter) {
      const now = Atomics.add(counts, counter * COUNTER_STRIDE, 1) + 1;
      if (now % workers === 0) Atomics.notify(counts, counter * COUNTER_STRIDE);
    },
    wait(counter, times) {
      const index = counter * COUNTER_STRIDE;
      for (let look = 0; look < LOOKS; look++) if (Atomics.load(counts, index) >= times * workers) return;
      for (;;) {
        const seen = Atomics.load(counts, index);
        if (seen >= times * workers) return;
        Atomics.wait(counts, index, seen);
      }
    },
  };
}

/** How many times every worker has added to a counter. */
export function timesDone(progress: SharedArrayBuffer, counter: number, workers: number): number {
  return Math.floor(Atomics.load(new Int32Array(progress), counter * COUNTER_STRIDE) / workers);
}
