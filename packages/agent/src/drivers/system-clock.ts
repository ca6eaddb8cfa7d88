import { setTimeout as delay } from 'node:timers/promises';
import type { DriverClock } from './driver-clock.ts';

/** The machine's own time. */
export const systemClock: DriverClock = {
  now: () => Date.now(),
  sleep: (ms, options) => delay(ms, undefined, options),
};
