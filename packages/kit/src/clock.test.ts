import { expect, test } from 'vitest';
import { systemClock } from './clock.ts';

test('a sleep ends not before its time', async () => {
  const startMs = performance.now();
  await systemClock.sleep(20);
  // Timers are rounded down to the millisecond.
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(19);
});

test.each([0, -5])('a sleep of %i ms ends', async (ms) => {
  expect(await systemClock.sleep(ms)).toBeUndefined();
});

test('an abort ends a sleep of a year, with its reason as the cause', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const sleep = systemClock.sleep(365 * 86_400_000, { signal: controller.signal });
  controller.abort(reason);
  await expect(sleep).rejects.toMatchObject({ name: 'AbortError', cause: reason });
});
