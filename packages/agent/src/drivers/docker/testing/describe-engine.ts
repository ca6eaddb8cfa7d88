import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '@latent/kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type JobBench, openBench } from '../../conformance/job-bench.ts';
import { openLifeline } from '../../conformance/lifeline.ts';
import { execAll, readAll, readUntil } from '../../conformance/read-all.ts';
import type { JobSpec } from '../../driver.ts';
import { savedHandle } from '../../saved-handle.ts';
import { create } from '../docker-driver.fixture.ts';
import { createDockerDriver } from '../docker-driver.ts';
import { containerName } from '../docker-job.ts';
import { defaultEngineLimits, openEngine } from '../engine/open-engine.ts';
import type { EngineName, TestEngine } from './test-engine.ts';
import { openTestRegistry, type TestRegistry } from './test-registry.ts';

const signal = () => AbortSignal.timeout(60_000);

/** For the suite of all drivers; what a container has in its place is tested here. */
export const notByNumber = {
  test: 'is not fooled by a reused process number',
  reason: 'A job is known by the id of its container, which is never given again, and not by the number of a process.',
} as const;

/** What a job in a container may and may not, in whatever engine. */
export function describeEngine(name: EngineName, engine: TestEngine): void {
  const cases = { timeout: 60_000 };

  describe(`a job in a container of ${name}`, cases, () => {
    let bench: JobBench;
    beforeEach(async () => {
      bench = await openBench(create(), () => ({}));
    });
    afterEach(() => bench.close());

    const run = async (script: string, change: Partial<JobSpec> = {}): Promise<string> => {
      const handle = await bench.start({ script, ends: { code: 0 }, change });
      return readAll(bench.driver, handle);
    };

    test('says what it is and what a job can reach', async () => {
      const fingerprint = await bench.driver.fingerprint({ signal: signal() });
      expect(fingerprint).toMatchObject({
        available: true,
        isolation: 'namespaces',
        version: expect.stringContaining(name),
      });
      expect(fingerprint.available && fingerprint.notes.join('\n')).toMatch(/^network: none/m);
    });

    test('sees nothing of the machine, least of all the engine’s socket', async () => {
      const output = await run(
        `for f in ${homedir()} ${process.cwd()} ${engine.socketPath} /var/run/docker.sock; do [ -e $f ] && echo sees $f; done
        grep -v -E '^(proc|sysfs|tmpfs|devpts|mqueue|shm|cgroup|cgroup2|systemd|overlay) ' /proc/mounts | cut -d ' ' -f 2`,
      );
      // Of the machine's file systems: what the job was given, and what the engine makes for each container.
      const given = ['/run/latent/job.sh', '/run/latent/output', '/work'];
      const made = [
        '/etc/hostname',
        '/etc/hosts',
        '/etc/resolv.conf',
        '/run/.containerenv',
        '/etc/passwd',
        '/etc/group',
      ];
      expect(
        output
          .trim()
          .split('\n')
          .filter((path) => !made.includes(path))
          .toSorted(),
      ).toEqual(given);
    });

    test('has no capabilities, no new privileges, a filter over its system calls, and a user of its own', async () => {
      const output = await run('cat /proc/self/status; id -u; touch made; stat -c owner=%u made');
      expect(output).toMatch(/^CapEff:\t0+$/m);
      expect(output).toMatch(/^CapBnd:\t0+$/m);
      expect(output).toMatch(/^NoNewPrivs:\t1$/m);
      expect(output).toMatch(/^Seccomp:\t2$/m);
      const [uid] = /^\d+$/m.exec(output) ?? [];
      expect(Number(uid)).toBeGreaterThanOrEqual(0x70000000);
      expect(output).toContain(`owner=${uid}\n`);
    });

    test('finds no way to a new namespace, a mount, or a file that runs as its owner', async () => {
      const output = await run(`
        unshare -r true 2>&1; unshare -U true 2>&1; mount -t tmpfs x /tmp 2>&1; chroot / true 2>&1
        cp /bin/busybox mine; chmod 4755 mine 2>&1; echo 1 2>&1 >/proc/sys/kernel/core_pattern; echo over`);
      expect(output.match(/unshare.*Operation not permitted/g)?.length).toBe(2);
      expect(output).toMatch(/mount: .*(permission denied|must be superuser|Operation not permitted|are you root)/i);
      expect(output).toMatch(/chroot: .*Operation not permitted/);
      expect(output).toMatch(/chmod: .*Operation not permitted/);
      expect(output).toMatch(/core_pattern: (Permission denied|Read-only file system)/);
    });

    test('cannot write to its system, only to its folder and a bounded /tmp', async () => {
      const limits = { memoryBytes: 64 << 20, cpus: 1, processes: 32 };
      const output = await run(
        `for f in /x /etc/x /bin/x /run/latent/x; do touch $f && echo wrote $f; done
        head -c 50000000 /dev/zero >/tmp/f || stat -c %s /tmp/f; touch here && echo mine
        df -k /dev/shm | tail -n 1`,
        { limits },
      );
      expect(output).not.toContain('wrote');
      expect(output).toMatch(/No space left on device|I\/O error/);
      expect(output).toContain('mine\n');
      expect(output).toMatch(/ 32768 .*\/dev\/shm$/m);
    });

    test('has an environment that holds nothing of the agent, and no network', async () => {
      const handle = await bench.start({ script: 'env; ls /sys/class/net', ends: { code: 0 }, env: { MINE: '1' } });
      const lines = (await readAll(bench.driver, handle)).trim().split('\n');
      const names = lines
        .map((line) => line.split('=')[0])
        .filter((one) => one !== 'lo' && one !== 'container' && one !== 'TERM');
      expect(names.toSorted()).toEqual(['HOME', 'HOSTNAME', 'MINE', 'PATH', 'PWD', 'SHLVL', 'TMPDIR']);
      expect(lines).toContain('lo');
      expect(lines.join('\n')).not.toMatch(/^(eth|veth)/m);
    });

    test('has a name of its own that leads to itself', async () => {
      const output = await run('hostname; grep "$(hostname)" /etc/hosts');
      expect(output).toMatch(/^(conformance-\d+-\d+)\n127\.0\.0\.1\s+\1/);
    });

    test('has toolchains on its path, read-only', async () => {
      const toolchain = await mkdtemp(join(tmpdir(), 'latent-toolchain-'));
      try {
        await chmod(toolchain, 0o755);
        await mkdir(join(toolchain, 'bin'));
        await writeFile(join(toolchain, 'bin', 'greet'), '#!/bin/sh\necho "hello from $0"\n', { mode: 0o755 });
        const output = await run('greet; touch /opt/toolchains/0/bin/x', { toolchains: [toolchain] });
        expect(output).toContain('hello from /opt/toolchains/0/bin/greet\n');
        expect(output).toContain('Read-only file system');
      } finally {
        await rm(toolchain, { recursive: true });
      }
    });

    test('can neither shorten its output nor write it past the pipe', async () => {
      const output = await run('echo one; : >/run/latent/output; echo two >/run/latent/output; echo three');
      expect(output).toBe('one\ntwo\nthree\n');
    });

    test('gives a command that enters it the same files, and no more rights', async () => {
      const handle = await bench.start({ script: 'echo here >/tmp/mine; echo up; sleep 600', ends: 'never' });
      await readUntil(bench.driver, handle, 'up\n');
      const script = `cat /tmp/mine; grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status; touch /x; unshare -U true; pwd`;
      const result = await execAll(bench.driver, handle, { argv: ['/bin/sh', '-c', script], env: {} });
      expect(result.stdout).toMatch(/^here\nCapEff:\t0+\nNoNewPrivs:\t1\nSeccomp:\t2\n\/work\n$/);
      expect(result.stderr).toMatch(/Read-only file system/);
      expect(result.stderr).toMatch(/Operation not permitted/);
    });

    test('passes on what a command reads and writes, whole, however slowly it is taken', async () => {
      const handle = await bench.start({ script: 'sleep 600', ends: 'never' });
      const [piece, pieces] = [randomBytes(1 << 20), 12];
      const [sent, received] = [createHash('sha256'), createHash('sha256')];
      for (let count = 0; count < pieces; count += 1) sent.update(piece);
      const exit = await bench.driver.exec(
        handle,
        { argv: ['cat'], env: {} },
        {
          signal: signal(),
          stdin: (async function* () {
            for (let count = 0; count < pieces; count += 1) yield piece;
          })(),
          async onOutput({ bytes }) {
            await new Promise(setImmediate);
            received.update(bytes);
          },
        },
      );
      expect(exit).toEqual({ code: 0 });
      expect(received.digest('hex')).toBe(sent.digest('hex'));
    });

    test('ends a command that is given up, and what it started', async () => {
      const spec = await bench.spec({ script: 'echo up; sleep 600', ends: 'never' });
      const alive = await openLifeline(spec);
      const handle = bench.adopt(await bench.driver.start(spec, { signal: signal() }));
      await readUntil(bench.driver, handle, 'up\n');
      const stop = new AbortController();
      const command = { argv: ['/bin/sh', '-c', 'exec 8>lifeline; sleep 600 & echo began; sleep 600'], env: {} };
      const exec = bench.driver.exec(handle, command, {
        ...{ signal: stop.signal, stdin: nothing(), onOutput: async () => stop.abort() },
      });
      await expect(exec).rejects.toMatchObject({ code: 'CANCELLED' });
      while (await alive.hasHolders()) await new Promise(setImmediate);
      await alive.close();
      expect(await bench.driver.recover(handle)).toEqual({ kind: 'running' });
    });

    test('ends with a command whose streams something else holds open', async () => {
      const handle = await bench.start({ script: 'echo up; sleep 600', ends: 'never' });
      await readUntil(bench.driver, handle, 'up\n');
      const command = { argv: ['/bin/sh', '-c', 'sleep 600 & echo began; exit 3'], env: {} };
      const result = await execAll(bench.driver, handle, command);
      expect(result).toMatchObject({ exit: { code: 3 }, stdout: 'began\n' });
    });

    test('is refused where it asks for a private network', async () => {
      const network = { namespacePath: '/proc/1/ns/net', address: '10.0.0.1', prefixLength: 24, hosts: [] };
      const start = bench.start({ script: 'true', ends: { code: 0 }, change: { network } });
      await expect(start).rejects.toMatchObject({ code: 'DRIVER_REFUSED', hint: expect.stringContaining('sandbox') });
    });

    test('leaves no container, however it is destroyed', async () => {
      const handle = await bench.start({ script: 'sleep 600', ends: 'never' });
      const opened = await openEngine(engine.socketPath, defaultEngineLimits);
      const status = async () => (await opened.ask(`/containers/${handle.state['container']}/json`)).status;
      expect(await status()).toBe(200);
      await bench.driver.destroy(handle);
      expect(await status()).toBe(404);
    });

    test('is gone when its start is given up once there is a container', async () => {
      const opened = await openEngine(engine.socketPath, defaultEngineLimits);
      const spec = await bench.spec({ script: 'exec 8>lifeline; sleep 600', ends: 'never' });
      const path = `/containers/${containerName(spec.jobId, spec.stateDir)}/json`;
      const alive = await openLifeline(spec);
      const stop = new AbortController();
      const start = bench.driver.start(spec, { signal: stop.signal });
      start.catch(() => undefined);
      while ((await opened.ask(path)).status !== 200) await new Promise(setImmediate);
      stop.abort();
      await expect(start).rejects.toMatchObject({ code: 'CANCELLED' });
      expect((await opened.ask(path)).status).toBe(404);
      expect(await readdir(spec.stateDir)).toEqual([]);
      expect(await alive.hasHolders()).toBe(false);
      await alive.close();
    });

    test('is told apart from a process that has come to have the number of its writer', async () => {
      const handle = await bench.start({ script: 'sleep 600', ends: 'never' });
      const other = spawn('sleep', ['600'], { stdio: 'ignore' });
      try {
        const forged = { ...handle, state: { ...handle.state, pid: other.pid ?? 0 } };
        expect(await bench.driver.recover(forged)).toEqual({ kind: 'running' });
        await bench.driver.stop(forged, { graceMs: 0 });
        expect(await bench.driver.recover(handle)).toEqual({ kind: 'exited', exit: { code: 137 } });
        await bench.driver.destroy(forged);
        expect(other.exitCode ?? other.signalCode).toBeNull();
      } finally {
        other.kill('SIGKILL');
      }
    });

    test('is known to have ended when somebody else removes its container', async () => {
      const handle = await bench.start({ script: 'sleep 600', ends: 'never' });
      const opened = await openEngine(engine.socketPath, defaultEngineLimits);
      await opened.act('DELETE', `/containers/${handle.state['container']}?force=true`);
      const exit = await bench.driver.wait(handle, { signal: signal() });
      expect(exit.code === -1 || exit.code === 137).toBe(true);
      expect(await create().recover(handle)).toEqual({ kind: 'exited', exit });
    });

    test('takes the place of a container that a killed start left behind', async () => {
      const spec = await bench.spec({ script: 'echo mine', ends: { code: 0 } });
      const first = await bench.driver.start(spec, { signal: signal() });
      // As if the agent had been killed before it wrote the handle down.
      await rm(join(spec.stateDir, 'handle.json'));
      await rm(join(spec.stateDir, 'output.pipe'));
      const second = bench.adopt(await bench.driver.start(spec, { signal: signal() }));
      expect(second.state['container']).not.toBe(first.state['container']);
      expect(await readAll(bench.driver, second)).toBe('mine\n');
      expect(await bench.driver.wait(second, { signal: signal() })).toEqual({ code: 0 });
    });

    test('is removed by a later life of the agent when nobody knows of it any more', async () => {
      const spec = await bench.spec({ script: 'exec 8>lifeline; echo up; sleep 600', ends: 'never' });
      const alive = await openLifeline(spec);
      const handle = bench.adopt(await bench.driver.start(spec, { signal: signal() }));
      await readUntil(bench.driver, handle, 'up\n');
      const known = await bench.start({ script: 'sleep 600', ends: 'never' });
      await rm(join(spec.stateDir, 'handle.json'));
      const late = { ...systemClock, nowMs: () => Date.now() + 3_600_000 };
      const { socketPath, image } = engine;
      const later = createDockerDriver({ clock: late, socket: socketPath, image, network: 'none' });
      bench.adopt(await later.start(await bench.spec({ script: 'true', ends: { code: 0 } }), { signal: signal() }));
      while (await alive.hasHolders()) await new Promise(setImmediate);
      await alive.close();
      expect(await bench.driver.recover(known)).toEqual({ kind: 'running' });
    });

    test('says when the kernel has ended it for want of memory', async (context) => {
      if (name === 'podman') context.skip('Podman does not say so on cgroup v1');
      const limits = { memoryBytes: 32 << 20, cpus: 1, processes: 16 };
      const handle = await bench.start({ script: 'exec tail /dev/zero', ends: { code: 137 }, change: { limits } });
      const exit = await bench.driver.wait(handle, { signal: signal() });
      expect(exit).toEqual({ code: 137, reason: 'out of memory' });
    });
  });

  describe(`an image of a job on ${name}`, cases, () => {
    let bench: JobBench;
    let registry: TestRegistry;
    beforeEach(async () => {
      bench = await openBench(create(), () => ({}));
      const folder = join(engine.socketPath, '..', 'image');
      const { stdout } = await promisify(execFile)('tar', ['-C', folder, '--owner=0', '--group=0', '-c', '.'], {
        ...{ encoding: 'buffer', maxBuffer: 64 << 20 },
      });
      registry = await openTestRegistry(stdout);
    });
    afterEach(async () => {
      await bench.close();
      await registry.close();
    });
    const start = async (image: string) => {
      const spec = await bench.spec({ script: 'echo runs', ends: { code: 0 }, change: { image } });
      try {
        return await readAll(bench.driver, bench.adopt(await bench.driver.start(spec, { signal: signal() })));
      } finally {
        if ((await savedHandle(spec.stateDir)) === undefined)
          await expect(stat(join(spec.stateDir, 'output'))).rejects.toThrow();
      }
    };

    test('is fetched by name and by digest', async () => {
      expect(await start(`${registry.address}/image:1`)).toBe('runs\n');
      expect(await start(`${registry.address}/image@${registry.digest}`)).toBe('runs\n');
    });

    test('is asked of its registry once for the steps of a job, and again later', async () => {
      let nowMs = Date.now();
      const clock = { ...systemClock, nowMs: () => nowMs };
      const driver = createDockerDriver({ clock, socket: engine.socketPath, network: 'none' });
      const begin = async () => {
        const change = { image: `${registry.address}/image:1` };
        const spec = await bench.spec({ script: 'echo runs', ends: { code: 0 }, change });
        return bench.adopt(await driver.start(spec, { signal: signal() }));
      };
      const progress: number[] = [];
      const prepare = { jobId: 'prepared', image: `${registry.address}/image:1`, stateDir: '/nonexistent' };
      await driver.prepare?.(prepare, { signal: signal(), onProgress: ({ doneBytes }) => progress.push(doneBytes) });
      expect(progress.length).toBeGreaterThan(0);
      const asked = registry.manifests();
      expect(asked).toBeGreaterThan(0);
      expect(await readAll(driver, await begin())).toBe('runs\n');
      expect(registry.manifests()).toBe(asked);
      nowMs += 601_000;
      await begin();
      expect(registry.manifests()).toBeGreaterThan(asked);
    });

    test('that is not there is refused, and said so', async () => {
      await expect(start(`${registry.address}/image:2`)).rejects.toMatchObject({
        code: 'IMAGE_NOT_FOUND',
        message: expect.stringContaining('/image:2 could not be fetched'),
      });
    });

    test('of the operator’s own is not for renters who know its name', async () => {
      const { socketPath, image } = engine;
      const other = createDockerDriver({ clock: systemClock, socket: socketPath, network: 'none' });
      const spec = await bench.spec({ script: 'true', ends: { code: 0 }, change: { image } });
      await expect(other.start(spec, { signal: signal() })).rejects.toMatchObject({
        code: expect.stringMatching(/^IMAGE_(NOT_FOUND|UNREACHABLE)$/),
        message: expect.stringContaining('could not be fetched'),
      });
    });

    test('has to be named where the operator lends none', async () => {
      const other = createDockerDriver({ clock: systemClock, socket: engine.socketPath });
      const start = other.start(await bench.spec({ script: 'true', ends: { code: 0 } }), { signal: signal() });
      await expect(start).rejects.toMatchObject({
        code: 'DRIVER_REFUSED',
        hint: expect.stringContaining('dockerImage'),
      });
    });

    test('whose registry stays silent is given up', async () => {
      const limits = { pullStallMs: 500 };
      const other = createDockerDriver({ clock: systemClock, socket: engine.socketPath, limits });
      const change = { image: `${registry.address}/silent:1` };
      const start = other.start(await bench.spec({ script: 'true', ends: { code: 0 }, change }), { signal: signal() });
      await expect(start).rejects.toMatchObject({
        code: 'IMAGE_UNREACHABLE',
        message: expect.stringContaining('no progress'),
      });
    });
  });
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
