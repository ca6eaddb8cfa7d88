import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createShutdown } from './shutdown.ts';

/** Runs the process of the fixture, and sends it a signal whenever it has said the line that goes before it. */
async function runWithSignals(
  args: readonly string[],
  signals: Readonly<Record<string, NodeJS.Signals>>,
): Promise<{ readonly lines: readonly string[]; readonly code: unknown }> {
  const script = fileURLToPath(new URL('./shutdown-process.fixture.ts', import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    const name = signals[line];
    if (name !== undefined) child.kill(name);
  }
  const [code]: unknown[] = await closed;
  return { lines, code };
}

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s aborts the signal and runs the cleanups, the last one first',
  async (name) => {
    expect(await runWithSignals([], { ready: name })).toEqual({
      lines: ['ready', 'asked', 'cleanup of what was second', 'cleanup of what was first', `stopped by ${name}`],
      code: 0,
    });
  },
);

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('a second signal, %s, ends the process at once with %i', async (name, code) => {
  const ended = await runWithSignals(['stuck'], { ready: 'SIGINT', 'cleanup of what was second': name });
  expect(ended).toEqual({ lines: ['ready', 'asked', 'cleanup of what was second'], code });
});

test('a cleanup that throws or hangs is reported and does not stop the others', async () => {
  const shutdown = createShutdown({ signals: [] });
  const ran: string[] = [];
  shutdown.add({ name: 'last', limitMs: 1000, run: () => void ran.push('last') });
  shutdown.add({ name: 'hangs', limitMs: 20, run: () => new Promise(() => {}) });
  shutdown.add({
    name: 'throws',
    limitMs: 1000,
    run: () => {
      throw new Error('broken');
    },
  });
  const failures = await shutdown.stop();
  expect(failures.map(({ name, error }) => [name, String(error)])).toEqual([
    ['throws', 'Error: broken'],
    ['hangs', 'Error: hangs took longer than 20 ms'],
  ]);
  expect(ran).toEqual(['last']);
});

test('stopping twice runs the cleanups once', async () => {
  const shutdown = createShutdown({ signals: [] });
  let runs = 0;
  const run = () => {
    runs += 1;
  };
  shutdown.add({ name: 'count', limitMs: 1000, run });
  const [first, second] = await Promise.all([shutdown.stop(), shutdown.stop()]);
  expect([runs, first, second, await shutdown.stopped]).toEqual([1, [], [], []]);
  expect(shutdown.signal.aborted).toBe(true);
  expect(shutdown.receivedSignal()).toBeUndefined();
});
