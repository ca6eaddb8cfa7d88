import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, type TestFunction, test } from 'vitest';
import { type JobBench, openBench, type ScriptEnd } from './conformance/job-bench.ts';
import { openLifeline } from './conformance/lifeline.ts';
import { execAll, readAll, readUntil } from './conformance/read-all.ts';
import { startAndKill } from './conformance/start-and-kill.ts';
import type { Driver, JobHandle } from './driver.ts';
import { savedHandle } from './saved-handle.ts';

export interface DriverSuite {
  readonly name: string;
  /** A driver over the machine's state, as a freshly started agent makes it. */
  readonly create: () => Driver;
  /** Module that exports the same `create`, for a process that is then killed. */
  readonly module: URL;
  /** Tests that do not apply. A reason that is not a sentence is refused. */
  readonly skip: readonly { readonly test: ConformanceTest; readonly reason: string }[];
  /** The handle as it would be if another process had come to have the number of the job's. */
  readonly withPid?: (handle: JobHandle, pid: number) => JobHandle;
  /** For a driver that runs no scripts: environment that makes it come to the same end. */
  readonly envFor?: (ends: ScriptEnd) => Readonly<Record<string, string>>;
}

const conformanceTests = [
  'runs a script with its environment in its folder and reports output and exit code',
  'reports a nonzero exit code',
  'reports 128 + n for a job that a signal ends',
  'keeps large output whole',
  'does not lose output when the job reopens its standard streams',
  'reads output from an offset',
  'follows output while the job runs',
  'stops a job that ends on SIGTERM within the grace',
  'stops every process of a job, also detached ones and those that ignore SIGTERM',
  'stops twice and destroys twice',
  'answers many waiters, also after the end',
  'stops waiting when the signal is aborted',
  'recovers a running job in a fresh driver',
  'recovers an ended job in a fresh driver with its exit code',
  'recovers a destroyed job as gone',
  'recovers a job that never existed as gone',
  'finds the handle again in the state folder',
  'refuses to start a second job in the same state folder',
  'keeps a job alive when the process that started it is killed',
  'is not fooled by a reused process number',
  'runs a command beside the job with its streams and exit code',
  'ends a command whose signal is aborted',
  'refuses a command after the job has stopped',
  'leaves nothing running when start is aborted',
  'bounds the number of processes',
  'bounds memory',
  'reports processes and memory of a running job',
  'refuses a job id that is no file name',
  'refuses an environment name that is no identifier',
  'refuses NUL bytes',
  'refuses a working folder that does not exist',
] as const;
export type ConformanceTest = (typeof conformanceTests)[number];

const signal = () => AbortSignal.timeout(30_000);
const testLimitMs = 60_000;
const shell = (script: string) => ({ argv: ['/bin/sh', '-c', script], env: {} });

/** The suite that every driver passes. */
export function describeDriver(suite: DriverSuite): void {
  describe(`driver ${suite.name}`, { timeout: testLimitMs }, () => {
    let bench: JobBench;
    let driver: Driver;
    beforeEach(async () => {
      bench = await openBench(suite.create(), suite.envFor ?? (() => ({})));
      driver = bench.driver;
    });
    afterEach(async () => {
      await bench.close();
    }, testLimitMs);

    const left = new Set<ConformanceTest>(conformanceTests);
    const check = (name: ConformanceTest, run: TestFunction) => {
      left.delete(name);
      const skipped = suite.skip.find((one) => one.test === name);
      if (skipped !== undefined && !/^[A-Z].{20,}\.$/.test(skipped.reason)) {
        throw new Error(`The reason to skip "${name}" is no sentence: ${skipped.reason}`);
      }
      test.skipIf(skipped)(skipped === undefined ? name : `${name} (skipped: ${skipped.reason})`, run);
    };

    check('runs a script with its environment in its folder and reports output and exit code', async () => {
      const spec = await bench.spec({
        script: 'cat input; echo "$GREETING"; echo done >result; exit 0',
        ends: { code: 0 },
        env: { GREETING: "it's a 'quoted' $(value)\nof two lines" },
      });
      await writeFile(`${spec.workdir}/input`, 'read\n');
      const handle = bench.adopt(await driver.start(spec, { signal: signal() }));
      expect(JSON.stringify(handle).length).toBeLessThanOrEqual(4096);
      expect(await driver.wait(handle, { signal: signal() })).toEqual({ code: 0 });
      expect(await readAll(driver, handle)).toBe("read\nit's a 'quoted' $(value)\nof two lines\n");
      expect(await readFile(`${spec.workdir}/result`, 'utf8')).toBe('done\n');
    });

    check('reports a nonzero exit code', async () => {
      const handle = await bench.start({ script: 'exit 7', ends: { code: 7 } });
      expect(await driver.wait(handle, { signal: signal() })).toEqual({ code: 7 });
    });

    check('reports 128 + n for a job that a signal ends', async () => {
      const handle = await bench.start({ script: 'kill -USR1 $$', ends: { code: 138 } });
      expect(await driver.wait(handle, { signal: signal() })).toEqual({ code: 138 });
    });

    check('keeps large output whole', async () => {
      const handle = await bench.start({ script: 'seq 1 1000000; echo end >&2', ends: { code: 0 } });
      const lines = (await readAll(driver, handle)).split('\n');
      expect(lines.length).toBe(1_000_002);
      expect(lines.slice(-3)).toEqual(['1000000', 'end', '']);
    });

    check('does not lose output when the job reopens its standard streams', async () => {
      const handle = await bench.start({ script: 'echo one; echo two >/dev/stderr; echo three', ends: { code: 0 } });
      expect(await readAll(driver, handle)).toBe('one\ntwo\nthree\n');
    });

    check('reads output from an offset', async () => {
      const handle = await bench.start({ script: 'echo 0123456789', ends: { code: 0, output: '0123456789\n' } });
      await driver.wait(handle, { signal: signal() });
      expect(await readAll(driver, handle, 4)).toBe('456789\n');
      expect(await readAll(driver, handle, 1000)).toBe('');
      const [chunk] = await Array.fromAsync(driver.output(handle, { follow: false, offset: 3, signal: signal() }));
      expect(chunk?.offset).toBe(3);
      const negative = driver.output(handle, { follow: false, offset: -1, signal: signal() });
      await expect(Array.fromAsync(negative)).rejects.toMatchObject({ code: 'DRIVER_REFUSED' });
    });

    check('follows output while the job runs', async () => {
      const handle = await bench.start({ script: 'echo first; sleep 600', ends: 'never' });
      await readUntil(driver, handle, 'first\n');
      expect(await driver.recover(handle)).toEqual({ kind: 'running' });
    });

    check('stops a job that ends on SIGTERM within the grace', async () => {
      const script = 'trap "echo bye; exit 5" TERM; echo up; while :; do sleep 0.01; done';
      const handle = await bench.start({ script, ends: 'never' });
      await readUntil(driver, handle, 'up\n');
      await driver.stop(handle, { graceMs: 20_000 });
      expect(await driver.recover(handle)).toEqual({ kind: 'exited', exit: { code: 5 } });
      expect(await readAll(driver, handle)).toContain('bye\n');
    });

    check('stops every process of a job, also detached ones and those that ignore SIGTERM', async () => {
      const beats = ['plain', 'forked', 'detached', 'stubborn'];
      const beat = (name: string) => `while :; do echo x >>${name}; sleep 0.02; done`;
      const script = `exec 8>lifeline
        (${beat('plain')}) &
        ( (${beat('forked')}) & ) &
        setsid sh -c '(${beat('detached')}) & exit' &
        setsid sh -c 'trap "" TERM INT HUP; ${beat('stubborn')}' &
        trap "" TERM
        for name in ${beats.join(' ')}; do until [ -s $name ]; do sleep 0.02; done; done
        echo up; while :; do sleep 0.02; done`;
      const spec = await bench.spec({ script, ends: 'never' });
      const alive = await openLifeline(spec);
      const handle = bench.adopt(await driver.start(spec, { signal: signal() }));
      await readUntil(driver, handle, 'up\n');
      await expect(alive.hasHolders()).resolves.toBe(true);
      await driver.stop(handle, { graceMs: 100 });
      expect(await alive.hasHolders()).toBe(false);
      await alive.close();
      expect(await driver.recover(handle)).toEqual({ kind: 'exited', exit: { code: 137 } });
      expect((await driver.stats(handle)).processes).toBe(0);
    });

    check('stops twice and destroys twice', async () => {
      const handle = await bench.start({ script: 'sleep 600', ends: 'never' });
      await Promise.all([driver.stop(handle, { graceMs: 1000 }), driver.stop(handle, { graceMs: 1000 })]);
      await driver.stop(handle, { graceMs: 1000 });
      expect((await driver.recover(handle)).kind).toBe('exited');
      await driver.destroy(handle);
      await driver.destroy(handle);
      await driver.stop(handle, { graceMs: 0 });
      expect(await driver.recover(handle)).toEqual({ kind: 'gone' });
    });

    check('answers many waiters, also after the end', async () => {
      const handle = await bench.start({ script: 'sleep 0.2; exit 3', ends: { code: 3 } });
      const waits = Array.from({ length: 20 }, () => driver.wait(handle, { signal: signal() }));
      for (const exit of await Promise.all(waits)) expect(exit).toEqual({ code: 3 });
      expect(await driver.wait(handle, { signal: signal() })).toEqual({ code: 3 });
    });

    check('stops waiting when the signal is aborted', async () => {
      const handle = await bench.start({ script: 'sleep 600', ends: 'never' });
      const stop = new AbortController();
      const wait = driver.wait(handle, { signal: stop.signal });
      stop.abort();
      await expect(wait).rejects.toMatchObject({ code: 'CANCELLED' });
      expect(await driver.recover(handle)).toEqual({ kind: 'running' });
    });

    check('recovers a running job in a fresh driver', async () => {
      const handle = await bench.start({ script: 'echo up; sleep 600', ends: 'never' });
      const fresh = suite.create();
      expect(await fresh.recover(handle)).toEqual({ kind: 'running' });
      await fresh.stop(handle, { graceMs: 1000 });
      expect((await driver.recover(handle)).kind).toBe('exited');
    });

    check('recovers an ended job in a fresh driver with its exit code', async () => {
      const handle = await bench.start({ script: 'echo out; exit 9', ends: { code: 9, output: 'out\n' } });
      await driver.wait(handle, { signal: signal() });
      const fresh = suite.create();
      expect(await fresh.recover(handle)).toEqual({ kind: 'exited', exit: { code: 9 } });
      expect(await readAll(fresh, handle)).toBe('out\n');
    });

    check('recovers a destroyed job as gone', async () => {
      const handle = await bench.start({ script: 'sleep 600', ends: 'never' });
      await driver.destroy(handle);
      expect(await suite.create().recover(handle)).toEqual({ kind: 'gone' });
    });

    check('recovers a job that never existed as gone', async () => {
      const handle = await bench.start({ script: 'exit 0', ends: { code: 0 } });
      const never = {
        ...handle,
        jobId: 'never',
        state: { ...handle.state, stateDir: '/nonexistent/latent/state' },
      };
      expect(await driver.recover(never)).toEqual({ kind: 'gone' });
    });

    check('finds the handle again in the state folder', async () => {
      const spec = await bench.spec({ script: 'sleep 600', ends: 'never' });
      expect(await savedHandle(spec.stateDir)).toBeUndefined();
      const handle = bench.adopt(await driver.start(spec, { signal: signal() }));
      expect(await savedHandle(spec.stateDir)).toEqual(handle);
      await driver.destroy(handle);
      expect(await savedHandle(spec.stateDir)).toBeUndefined();
    });

    check('refuses to start a second job in the same state folder', async () => {
      const spec = await bench.spec({ script: 'sleep 600', ends: 'never' });
      const handle = bench.adopt(await driver.start(spec, { signal: signal() }));
      await expect(driver.start(spec, { signal: signal() })).rejects.toMatchObject({ code: 'DRIVER_REFUSED' });
      expect(await driver.recover(handle)).toEqual({ kind: 'running' });
    });

    check('keeps a job alive when the process that started it is killed', async () => {
      const script = 'echo before; until [ -e go ]; do sleep 0.02; done; seq 1 20000; exit 11';
      const spec = await bench.spec({ script, ends: { code: 11 } });
      const handle = bench.adopt(await startAndKill(suite.module, spec));
      expect(await driver.recover(handle)).toEqual({ kind: 'running' });
      await writeFile(`${spec.workdir}/go`, '');
      expect(await driver.wait(handle, { signal: signal() })).toEqual({ code: 11 });
      const lines = (await readAll(driver, handle)).split('\n');
      expect([lines[0], lines.length, lines.at(-2)]).toEqual(['before', 20_002, '20000']);
    });

    check('is not fooled by a reused process number', async () => {
      if (suite.withPid === undefined) throw new Error('The suite needs withPid, or a reason to skip.');
      const handle = await bench.start({ script: 'sleep 600', ends: 'never' });
      const other = spawn('sleep', ['600'], { stdio: 'ignore' });
      try {
        const forged = suite.withPid(handle, other.pid ?? 0);
        expect((await driver.recover(forged)).kind).not.toBe('running');
        await driver.stop(forged, { graceMs: 0 });
        expect(other.exitCode ?? other.signalCode).toBeNull();
      } finally {
        other.kill('SIGKILL');
      }
    });

    check('runs a command beside the job with its streams and exit code', async () => {
      const handle = await bench.start({
        script: 'echo mine >file; echo up; sleep 600',
        ends: 'never',
        env: { A: 'a' },
      });
      await readUntil(driver, handle, 'up\n');
      const command = { ...shell('cat file; echo "$A$B"; cat; echo oops >&2; exit 42'), env: { B: 'b' } };
      const result = await execAll(driver, handle, command, ['to ', 'stdin\n']);
      expect(result).toEqual({ exit: { code: 42 }, stdout: 'mine\nab\nto stdin\n', stderr: 'oops\n' });
      const killed = await execAll(driver, handle, shell('kill -KILL $$'));
      expect(killed.exit.code).toBe(137);
      const empty = execAll(driver, handle, { argv: [], env: {} });
      await expect(empty).rejects.toMatchObject({ code: 'DRIVER_REFUSED' });
    });

    check('ends a command whose signal is aborted', async () => {
      const handle = await bench.start({ script: 'sleep 600', ends: 'never' });
      const stop = new AbortController();
      const exec = driver.exec(handle, shell('echo $$; sleep 600'), {
        signal: stop.signal,
        stdin: forever(),
        onOutput: async () => stop.abort(),
      });
      await expect(exec).rejects.toMatchObject({ code: 'CANCELLED' });
      expect(await driver.recover(handle)).toEqual({ kind: 'running' });
    });

    check('refuses a command after the job has stopped', async () => {
      const handle = await bench.start({ script: 'sleep 600', ends: 'never' });
      await driver.stop(handle, { graceMs: 1000 });
      await expect(execAll(driver, handle, shell('true'))).rejects.toMatchObject({ code: 'MEMBER_NOT_STARTED' });
      await driver.destroy(handle);
      await expect(execAll(driver, handle, shell('true'))).rejects.toMatchObject({ code: 'MEMBER_NOT_STARTED' });
    });

    check('leaves nothing running when start is aborted', async () => {
      // Aborted at ever later moments, so that one falls into every part of the start.
      let cancelled = 0;
      for (let turns = 0; turns < 40; turns += 1) {
        const spec = await bench.spec({ script: 'exec 8>lifeline; sleep 600', ends: 'never' });
        const alive = await openLifeline(spec);
        const stop = new AbortController();
        const start = driver.start(spec, { signal: stop.signal }).then(bench.adopt, (error: unknown) => error);
        for (let turn = 0; turn < turns * 4; turn += 1) await new Promise(setImmediate);
        stop.abort();
        const outcome = await start;
        if (outcome instanceof Error) {
          cancelled += 1;
          expect(outcome).toMatchObject({ code: 'CANCELLED' });
          expect(await savedHandle(spec.stateDir)).toBeUndefined();
          expect(await alive.hasHolders()).toBe(false);
        }
        await alive.close();
      }
      expect(cancelled).toBeGreaterThan(0);
    });

    check('bounds the number of processes', async () => {
      const processes = 24;
      const script = '(for i in $(seq 200); do sleep 600 & done) 2>/dev/null; echo over; exec sleep 600';
      const change = { limits: { memoryBytes: 512 << 20, cpus: 2, processes } };
      const handle = await bench.start({ script, ends: 'never', change });
      await readUntil(driver, handle, 'over\n');
      const stats = await driver.stats(handle);
      expect(stats.processes).toBeGreaterThan(processes / 2);
      expect(stats.processes).toBeLessThanOrEqual(processes);
    });

    check('bounds memory', async () => {
      const script = 'head -c 268435456 /dev/zero | tail -c 260000000 | wc -c';
      const change = { limits: { memoryBytes: 64 << 20, cpus: 2, processes: 64 } };
      const handle = await bench.start({ script, ends: { code: 0 }, change });
      expect(await readAll(driver, handle)).not.toContain('260000000');
    });

    check('reports processes and memory of a running job', async () => {
      const handle = await bench.start({ script: 'sleep 600 & echo up; wait', ends: 'never' });
      await readUntil(driver, handle, 'up\n');
      const stats = await driver.stats(handle);
      expect(stats.processes).toBe(2);
      expect(stats.memoryBytes).toBeGreaterThan(0);
      expect(stats.cpuSeconds).toBeGreaterThanOrEqual(0);
    });

    check('refuses a job id that is no file name', async () => {
      for (const jobId of ['../up', 'a/b', '', '.', 'A', 'a'.repeat(65), 'a b', 'a\n']) {
        const spec = await bench.spec({ script: 'exit 0', ends: { code: 0 }, change: { jobId } });
        await expect(driver.start(spec, { signal: signal() })).rejects.toMatchObject({ code: 'DRIVER_REFUSED' });
      }
    });

    check('refuses an environment name that is no identifier', async () => {
      for (const name of ['A-B', '1A', '', 'A B', 'A=B', 'A;id', 'Ä']) {
        const spec = await bench.spec({ script: 'exit 0', ends: { code: 0 }, env: { [name]: 'x' } });
        await expect(driver.start(spec, { signal: signal() })).rejects.toMatchObject({ code: 'DRIVER_REFUSED' });
      }
    });

    check('refuses NUL bytes', async () => {
      const changes = [{ script: 'echo \0' }, { env: { A: 'a\0b' } }, { workdir: '/tmp\0/x' }];
      for (const change of changes) {
        const spec = await bench.spec({ script: 'exit 0', ends: { code: 0 }, change });
        await expect(driver.start(spec, { signal: signal() })).rejects.toMatchObject({ code: 'DRIVER_REFUSED' });
      }
    });

    check('refuses a working folder that does not exist', async () => {
      for (const workdir of ['/nonexistent/latent', 'relative', '/proc/self/stat']) {
        const spec = await bench.spec({ script: 'exit 0', ends: { code: 0 }, change: { workdir } });
        await expect(driver.start(spec, { signal: signal() })).rejects.toMatchObject({ code: 'DRIVER_REFUSED' });
      }
    });

    if (left.size > 0) throw new Error(`Tests without a body: ${[...left].join(', ')}`);
  });
}

async function* forever(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array();
  await new Promise(() => undefined);
}
