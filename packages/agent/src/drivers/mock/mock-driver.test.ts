import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createManualClock } from '@latent/kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describeDriver } from '../conformance.ts';
import type { JobSpec } from '../driver.ts';
import { create } from './mock-driver.fixture.ts';
import { createMockDriver } from './mock-driver.ts';
import type { MockScript } from './mock-script.ts';

const noScript = 'The mock driver runs no scripts, so there is nothing to see of this one.';
const noProcesses = 'The mock driver starts no processes, so there are none to bound, end or mistake.';

describeDriver({
  name: 'mock',
  create,
  module: new URL('./mock-driver.fixture.ts', import.meta.url),
  envFor: (ends) =>
    ends === 'never'
      ? {}
      : {
          LATENT_MOCK_EXIT_AFTER_MS: '0',
          LATENT_MOCK_EXIT_CODE: String(ends.code),
          LATENT_MOCK_OUTPUT: ends.output ?? '',
        },
  skip: [
    { test: 'runs a script with its environment in its folder and reports output and exit code', reason: noScript },
    { test: 'keeps large output whole', reason: noScript },
    { test: 'does not lose output when the job reopens its standard streams', reason: noScript },
    { test: 'follows output while the job runs', reason: noScript },
    { test: 'stops a job that ends on SIGTERM within the grace', reason: noScript },
    {
      test: 'stops every process of a job, also detached ones and those that ignore SIGTERM',
      reason: noProcesses,
    },
    { test: 'keeps a job alive when the process that started it is killed', reason: noScript },
    { test: 'is not fooled by a reused process number', reason: noProcesses },
    { test: 'runs a command beside the job with its streams and exit code', reason: noScript },
    { test: 'bounds the number of processes', reason: noProcesses },
    { test: 'bounds memory', reason: noProcesses },
    { test: 'reports processes and memory of a running job', reason: noProcesses },
  ],
});

describe('mock driver', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'latent-mock-'));
    await mkdir(join(root, 'state'), { mode: 0o700 });
  });
  afterEach(() => rm(root, { recursive: true }));

  const { signal } = new AbortController();
  const clock = createManualClock(1_000);
  const spec = (env: Record<string, string> = {}): JobSpec => ({
    jobId: 'mock-job',
    script: 'true',
    env,
    workdir: root,
    stateDir: join(root, 'state'),
    limits: { memoryBytes: 1 << 30, cpus: 1, processes: 10 },
    address: '127.0.0.1',
    toolchains: [],
  });
  const driver = (script?: MockScript) => createMockDriver({ clock, ...(script === undefined ? {} : { script }) });

  test('ends a job by the clock that it was given', async () => {
    const handle = await driver({ exitAfterMs: 5_000, exitCode: 3 }).start(spec(), { signal });
    await clock.advance(4_999);
    expect(await driver().recover(handle)).toEqual({ kind: 'running' });
    await clock.advance(1);
    expect(await driver().recover(handle)).toEqual({ kind: 'exited', exit: { code: 3 } });
    expect(await driver().wait(handle, { signal })).toEqual({ code: 3 });
  });

  test("takes a job's own variables before the driver's options", async () => {
    const env = { LATENT_MOCK_EXIT_AFTER_MS: '0', LATENT_MOCK_EXIT_CODE: '9' };
    const handle = await driver({ exitAfterMs: 5_000, exitCode: 3 }).start(spec(env), { signal });
    expect(await driver().recover(handle)).toEqual({ kind: 'exited', exit: { code: 9 } });
  });

  test('fails to start and leaves nothing', async () => {
    const start = driver({ faults: ['fail-to-start'] }).start(spec(), { signal });
    await expect(start).rejects.toMatchObject({ code: 'DRIVER_FAILED' });
    await expect(driver().start(spec(), { signal })).resolves.toBeDefined();
  });

  test('hangs in start until it is told to give up', async () => {
    const stop = new AbortController();
    const start = driver().start(spec({ LATENT_MOCK_FAULTS: 'hang-in-start' }), { signal: stop.signal });
    stop.abort();
    await expect(start).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  test('ignores a stop for the whole grace, then is killed', async () => {
    const handle = await driver({ faults: ['ignore-stop'] }).start(spec(), { signal });
    const stop = driver().stop(handle, { graceMs: 10_000 });
    await clock.untilSleeping(1);
    expect(await driver().recover(handle)).toEqual({ kind: 'running' });
    await clock.advance(10_000);
    await stop;
    expect(await driver().recover(handle)).toEqual({ kind: 'exited', exit: { code: 137 } });
  });

  test('loses output', async () => {
    const env = { LATENT_MOCK_OUTPUT: 'text', LATENT_MOCK_FAULTS: 'lose-output' };
    const handle = await driver().start(spec(env), { signal });
    expect(await Array.fromAsync(driver().output(handle, { follow: false, offset: 0, signal }))).toEqual([]);
  });

  test('vanishes without a trace', async () => {
    const handle = await driver({ exitAfterMs: 10, faults: ['vanish'] }).start(spec(), { signal });
    await clock.advance(10);
    expect(await driver().recover(handle)).toEqual({ kind: 'gone' });
  });

  test('refuses a script that it does not understand', async () => {
    for (const env of [{ LATENT_MOCK_FAULTS: 'explode' }, { LATENT_MOCK_EXIT_CODE: '256' }]) {
      await expect(driver().start(spec(env), { signal })).rejects.toMatchObject({ code: 'DRIVER_REFUSED' });
    }
  });
});
