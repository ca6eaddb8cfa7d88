import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type Clock, identifyProcess, isRunning, type ProcessIdentity, signalProcess, systemClock } from '@latent/kit';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { findStrays } from './find-strays.ts';
import { findReadyLine } from './program-lines.ts';
import { type StartProcessOptions, startProcess } from './start-process.ts';
import { stopProcesses } from './stop-processes.ts';

const READY = `process.stdout.write(JSON.stringify({ event: 'ready', answer: 42 }) + '\\n');`;
const FOREVER = 'setInterval(() => {}, 1000);';
const readySchema = z.object({ answer: z.number() });

const spawned: ProcessIdentity[] = [];
const folders: string[] = [];

afterEach(async () => {
  await stopProcesses(spawned.splice(0), { graceMs: 0, clock: systemClock });
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'latent-process-'));
  folders.push(folder);
  return folder;
}

type Options = StartProcessOptions<z.infer<typeof readySchema>>;

function start(source: string, folder: string, changed: Partial<Options> = {}) {
  const program = join(folder, 'program.mjs');
  writeFileSync(program, source);
  return startProcess(
    { name: 'child', file: process.execPath, argv: [program], cwd: folder, logDir: join(folder, 'logs') },
    {
      isReady: (printed) => findReadyLine(printed, readySchema),
      readyWithinMs: 30_000,
      onSpawned: (identity) => spawned.push(identity),
      clock: systemClock,
      signal: new AbortController().signal,
      ...changed,
    },
  );
}

/** Time passes only by being waited for, a minute at a time. */
function hastyClock(): Clock {
  let now = 0;
  return {
    nowMs: () => now,
    sleep: async () => {
      now += 60_000;
      await setImmediate();
    },
  };
}

describe('startProcess', { timeout: 60_000 }, () => {
  test('gives what the ready line says, and a process that runs on', async () => {
    const { identity, ready } = await start(`console.log('not json'); ${READY} ${FOREVER}`, newFolder());
    expect(ready).toEqual({ answer: 42 });
    expect(isRunning(identity)).toBe(true);
    expect(spawned).toEqual([identity]);
  });

  test('keeps what is printed to standard error in a log that later lives add to', async () => {
    const folder = newFolder();
    const source = `console.error('hello from', process.argv.length); ${READY} ${FOREVER}`;
    await start(source, folder);
    await start(source, folder);
    const log = readFileSync(join(folder, 'logs/child.log'), 'utf8');
    expect(log).toBe('hello from 2\nhello from 2\n');
  });

  test('says how a process ended that ended before it was ready, with the last line of its log', async () => {
    const folder = newFolder();
    await expect(start(`console.error('no money left'); process.exitCode = 3;`, folder)).rejects.toMatchObject({
      code: 'DEVNET_FAILED',
      message: 'child ended before it was ready (exit code 3): no money left',
      details: { process: 'child', lines: ['no money left'], log: join(folder, 'logs/child.log') },
    });
  });

  test('tells the error of a program that crashed, not the end of its stack', async () => {
    await expect(start(`await import('node:nothing');`, newFolder())).rejects.toThrow(
      'child ended before it was ready (exit code 1): Error [ERR_UNKNOWN_BUILTIN_MODULE]: No such built-in module: node:nothing',
    );
  });

  test('tells the error and hint that the program gave as its reason', async () => {
    const error = { code: 'FUNDS_TOO_LOW', message: 'No ether.', hint: 'Send some.', retry: 'later' };
    const source = `console.log(${JSON.stringify(JSON.stringify({ event: 'failed', error }))}); process.exitCode = 1;`;
    await expect(start(source, newFolder())).rejects.toMatchObject({
      code: 'DEVNET_FAILED',
      message: 'child ended before it was ready (exit code 1): No ether.',
      hint: 'Send some.',
      cause: { code: 'FUNDS_TOO_LOW' },
    });
  });

  test('kills a process that does not become ready in time', async () => {
    const failure = start(FOREVER, newFolder(), { clock: hastyClock(), readyWithinMs: 300_000 });
    await expect(failure).rejects.toThrow('child was not ready within 300 s');
    await stopProcesses(spawned, { graceMs: 10_000, clock: systemClock });
    expect(spawned).toHaveLength(1);
    expect(spawned.filter(isRunning)).toEqual([]);
  });

  test('kills the process when it is aborted, and passes the reason on', async () => {
    const abort = new AbortController();
    const failure = start(FOREVER, newFolder(), {
      signal: abort.signal,
      isReady: () => {
        abort.abort(new Error('changed my mind'));
        return undefined;
      },
    });
    await expect(failure).rejects.toThrow('changed my mind');
    await stopProcesses(spawned, { graceMs: 10_000, clock: systemClock });
    expect(spawned.filter(isRunning)).toEqual([]);
  });

  test('refuses a ready line that is not what it should be', async () => {
    const source = `console.log(JSON.stringify({ event: 'ready', answer: 'x' })); ${FOREVER}`;
    await expect(start(source, newFolder())).rejects.toThrow('ready in a way that is not understood');
  });

  test('says which file cannot be started', async () => {
    const options: Options = {
      isReady: () => undefined,
      readyWithinMs: 1_000,
      onSpawned: () => {},
      clock: systemClock,
      signal: new AbortController().signal,
    };
    const folder = newFolder();
    const program = { name: 'ghost', file: join(folder, 'missing'), argv: [], cwd: folder, logDir: folder };
    await expect(startProcess(program, options)).rejects.toMatchObject({
      code: 'DEVNET_FAILED',
      details: { file: join(folder, 'missing') },
    });
  });
});

describe('stopProcesses', { timeout: 60_000 }, () => {
  test('lets processes end by themselves, and kills those that will not', async () => {
    const gentle = await start(`process.on('SIGTERM', () => process.exit(0)); ${READY} ${FOREVER}`, newFolder());
    const deaf = await start(`process.on('SIGTERM', () => {}); ${READY} ${FOREVER}`, newFolder());
    const identities = [gentle.identity, deaf.identity];
    // The grace is over when the gentle one has ended, however slow the machine is.
    const clock: Clock = { ...systemClock, nowMs: () => (isRunning(gentle.identity) ? 0 : 10_000) };
    const killed = await stopProcesses(identities, { graceMs: 10_000, clock });
    expect(killed).toBe(1);
    expect(identities.filter(isRunning)).toEqual([]);
    expect(await stopProcesses(identities, { graceMs: 0, clock: systemClock })).toBe(0);
  });

  test('never touches a process that has the pid of one that has ended', async () => {
    const { identity } = await start(`${READY} ${FOREVER}`, newFolder());
    const earlier: ProcessIdentity = { ...identity, birth: `${identity.birth}0` };
    expect(isRunning(earlier)).toBe(false);
    expect(signalProcess(earlier, 'SIGKILL')).toBe(false);
    expect(await stopProcesses([earlier], { graceMs: 0, clock: systemClock })).toBe(0);
    expect(isRunning(identity)).toBe(true);
  });
});

describe('findStrays', { timeout: 60_000 }, () => {
  test('finds what writes into the folders, and nothing else', async () => {
    const folder = newFolder();
    const inside = await start(`${READY} ${FOREVER}`, folder);
    await start(`${READY} ${FOREVER}`, newFolder());
    expect(findStrays([join(folder, 'logs')])).toEqual([inside.identity]);
    expect(findStrays([join(folder, 'log')])).toEqual([]);
  });
});

test('a process that does not exist is not running', () => {
  expect(isRunning(identifyProcess(2 ** 22 + 1))).toBe(false);
});
