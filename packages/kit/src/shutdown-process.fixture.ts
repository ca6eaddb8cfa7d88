import { writeSync } from 'node:fs';
import { createShutdown } from './shutdown.ts';

/** A process that ends in order, for tests that send it signals. `stuck` never ends its cleanup. */
const isStuck = process.argv[2] === 'stuck';
const shutdown = createShutdown();
const say = (line: string) => writeSync(1, `${line}\n`);

shutdown.signal.addEventListener('abort', () => say('asked'));
shutdown.add({ name: 'first', limitMs: 60_000, run: () => void say('cleanup of what was first') });
shutdown.add({
  name: 'second',
  limitMs: 60_000,
  run: async () => {
    say('cleanup of what was second');
    if (isStuck) await new Promise(() => {});
  },
});
// Work that keeps the process alive.
const work = setInterval(() => {}, 60_000);
say('ready');
await shutdown.stopped;
clearInterval(work);
say(`stopped by ${shutdown.receivedSignal()}`);
shutdown.dispose();
