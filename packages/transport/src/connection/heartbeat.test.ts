import { expect, test } from 'vitest';
import { Heartbeat, type HeartbeatOptions } from './heartbeat.ts';

/** A heartbeat of a path, and what it did so far. */
function open(pathTimeoutMs: number, patienceMs: number) {
  const did: string[] = [];
  const happened = new Map<string, () => void>();
  const on = (what: string) => {
    did.push(what);
    happened.get(what)?.();
  };
  const options: HeartbeatOptions = {
    pathTimeoutMs,
    patienceMs: () => patienceMs,
    ping: () => on('ping'),
    onDead: () => {
      heartbeat.stop();
      on('dead');
    },
  };
  const heartbeat = new Heartbeat(options);
  const next = (what: string) => new Promise<void>((resolve) => happened.set(what, resolve));
  return { heartbeat, did, next };
}

test('a path that is silent is asked for a sign of life, and is dead without one', async () => {
  const { did, next } = open(40, 10);
  await next('dead');
  expect(did).toEqual(['ping', 'dead']);
});

test('a path that answers lives, and the answer tells the round trip', async () => {
  const { heartbeat, did, next } = open(40, 10);
  for (let count = 0; count < 4; count += 1) {
    await next('ping');
    heartbeat.heard();
    heartbeat.answered();
  }
  heartbeat.stop();
  expect(did).toEqual(['ping', 'ping', 'ping', 'ping']);
  expect(heartbeat.roundTripMs).toBeGreaterThanOrEqual(0);
});

test('a path that may be silent is left alone, unless there is reason to doubt it', async () => {
  const { heartbeat, did, next } = open(40, 600_000);
  const other = open(40, 10);
  await other.next('dead');
  expect(did).toEqual([]);
  const dead = next('dead');
  heartbeat.check();
  heartbeat.check();
  await dead;
  expect(did).toEqual(['ping', 'dead']);
});

test('a process that was held up hears what has come meanwhile before it judges', async () => {
  const { heartbeat, did, next } = open(80, 10);
  await next('ping');
  const until = performance.now() + 200;
  while (performance.now() < until);
  // Timers that are overdue come first, that of the heartbeat before this one; then the answer that lay there is read.
  await new Promise((resolve) => setTimeout(resolve, 1));
  expect(did).toEqual(['ping']);
  heartbeat.heard();
  heartbeat.answered();
  await next('ping');
  heartbeat.stop();
});
