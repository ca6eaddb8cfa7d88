import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from './clock.ts';

/** A clock for tests, which stands still until it is moved. */
export interface ManualClock extends Clock {
  /**
   * Moves on by `ms` milliseconds, waking every sleeper at its own time, the earliest first, and letting what it goes on
   * to do (short of input and output) happen before the next one is woken.
   */
  advance(ms: number): Promise<void>;
  /** Resolves when at least so many sleep at once. */
  untilSleeping(count: number): Promise<void>;
}

interface Sleeper {
  readonly wakeAtMs: number;
  readonly wake: () => void;
}

/** @param startMs what `nowMs` says at first */
export function createManualClock(startMs = 0): ManualClock {
  let nowMs = startMs;
  const sleepers = new Set<Sleeper>();
  const watchers = new Set<() => void>();

  function sleep(ms: number, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper: Sleeper = {
        wakeAtMs: nowMs + Math.max(0, ms),
        wake: () => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', abort);
          resolve();
        },
      };
      const abort = () => {
        sleepers.delete(sleeper);
        // As the timers of Node do it.
        reject(
          Object.assign(new Error('The operation was aborted', { cause: signal?.reason }), { name: 'AbortError' }),
        );
      };
      if (signal?.aborted === true) {
        abort();
        return;
      }
      signal?.addEventListener('abort', abort, { once: true });
      sleepers.add(sleeper);
      if (ms <= 0) sleeper.wake();
      for (const watcher of [...watchers]) watcher();
    });
  }

  function nextUntil(untilMs: number): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of sleepers) {
      if (sleeper.wakeAtMs <= untilMs && (first === undefined || sleeper.wakeAtMs < first.wakeAtMs)) first = sleeper;
    }
    return first;
  }

  async function advance(ms: number): Promise<void> {
    const untilMs = nowMs + ms;
    await nextTurn();
    for (let sleeper = nextUntil(untilMs); sleeper !== undefined; sleeper = nextUntil(untilMs)) {
      nowMs = sleeper.wakeAtMs;
      sleeper.wake();
      await nextTurn();
    }
    nowMs = untilMs;
  }

  function untilSleeping(count: number): Promise<void> {
    return new Promise((resolve) => {
      const watcher = () => {
        if (sleepers.size < count) return;
        watchers.delete(watcher);
        resolve();
      };
      watchers.add(watcher);
      watcher();
    });
  }

  return { nowMs: () => nowMs, sleep, advance, untilSleeping };
}
