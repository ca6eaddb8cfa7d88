import { expect, test } from 'vitest';
import { createManualClock } from './manual-clock.ts';

test('sleepers wake in the order of their times, each seeing its own time', async () => {
  const clock = createManualClock(1000);
  const woken: [string, number][] = [];
  const sleeper = async (name: string, ms: number) => {
    await clock.sleep(ms);
    woken.push([name, clock.nowMs()]);
  };
  const sleepers = [sleeper('late', 30), sleeper('early', 10), sleeper('none', 0)];
  await clock.advance(20);
  expect(woken).toEqual([
    ['none', 1000],
    ['early', 1010],
  ]);
  expect(clock.nowMs()).toBe(1020);
  await clock.advance(10);
  await Promise.all(sleepers);
  expect(woken.at(-1)).toEqual(['late', 1030]);
});

test('a loop that sleeps again and again is carried along by one move', async () => {
  const clock = createManualClock();
  const timesMs: number[] = [];
  const loop = (async () => {
    while (timesMs.length < 3) {
      await clock.sleep(10);
      timesMs.push(clock.nowMs());
    }
  })();
  await clock.untilSleeping(1);
  await clock.advance(35);
  await loop;
  expect(timesMs).toEqual([10, 20, 30]);
});

test('an aborted sleep rejects as the system clock does, before and while it sleeps', async () => {
  const clock = createManualClock();
  const controller = new AbortController();
  const sleep = clock.sleep(10, { signal: controller.signal });
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(sleep).rejects.toMatchObject({ name: 'AbortError', cause: reason });
  await expect(clock.sleep(10, { signal: controller.signal })).rejects.toMatchObject({ name: 'AbortError' });
});

test('waiting for sleepers ends only when all of them sleep', async () => {
  const clock = createManualClock();
  const seen: string[] = [];
  const waiting = clock.untilSleeping(2).then(() => seen.push('two sleep'));
  const first = clock.sleep(5);
  await Promise.resolve();
  seen.push('one sleeps');
  const second = clock.sleep(5);
  await waiting;
  await clock.advance(5);
  await Promise.all([first, second]);
  expect(seen).toEqual(['one sleeps', 'two sleep']);
});
