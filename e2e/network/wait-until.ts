import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 50;
const LIMIT_MS = 60_000;

/**
 * Asks again and again until `probe` gives something other than undefined or false, and gives that. The one way to wait here:
 * for something that can be seen, never for time to pass.
 * @param what is waited for, for the message
 */
export async function waitUntil<Found>(
  what: string,
  probe: () => Found | undefined | false | Promise<Found | undefined | false>,
  limitMs = LIMIT_MS,
): Promise<Found> {
  for (const deadline = Date.now() + limitMs; ; ) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (Date.now() >= deadline) throw new Error(`${what}: not within ${limitMs / 1000} s`);
    await pause(POLL_MS);
  }
}
