import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type JobBench, openBench } from '../conformance/job-bench.ts';
import { openLifeline } from '../conformance/lifeline.ts';
import { execAll, readAll, readUntil } from '../conformance/read-all.ts';
import type { JobSpec } from '../driver.ts';
import { create } from './sandbox-driver.fixture.ts';

const fingerprint = await create().fingerprint({ signal: AbortSignal.timeout(30_000) });
const unavailable = fingerprint.available ? '' : ` (skipped: ${fingerprint.reason}; ${fingerprint.remedy})`;

describe.skipIf(!fingerprint.available)(`what a job in a sandbox sees${unavailable}`, { timeout: 60_000 }, () => {
  let bench: JobBench;
  beforeEach(async () => {
    bench = await openBench(create(), () => ({}));
  });
  afterEach(() => bench.close());

  const run = async (script: string, change: Partial<JobSpec> = {}): Promise<string> => {
    const handle = await bench.start({ script, ends: { code: 0 }, change });
    return readAll(bench.driver, handle);
  };

  test('says how the machine keeps limits and that the network is shared', () => {
    expect(fingerprint).toMatchObject({ available: true, isolation: 'namespaces' });
    const notes = fingerprint.available ? fingerprint.notes.join('\n') : '';
    expect(notes).toMatch(/^limits: /m);
    expect(notes).toMatch(/^network: shared/m);
  });

  test('nothing of the machine but programs and public settings', async () => {
    const output = await run(`ls -A / /etc /var; ls ${homedir()} ${process.cwd()} 2>&1; echo over`);
    expect(output).not.toContain('shadow');
    expect(output).not.toMatch(/^(home|root|srv|mnt|boot|sys)$/m);
    expect(output).toMatch(/^work$/m);
    expect(output.match(/No such file or directory/g)?.length).toBe(2);
  });

  test('no processes but its own, and no name of the machine', async () => {
    const output = await run('ls -d /proc/[0-9]* | wc -l; hostname 2>/dev/null || cat /proc/sys/kernel/hostname');
    const [processes, hostname] = output.split('\n');
    expect(Number(processes)).toBeLessThan(6);
    expect(hostname).toMatch(/^conformance-/);
  });

  test('an environment that holds nothing of the agent', async () => {
    const handle = await bench.start({ script: 'env', ends: { code: 0 }, env: { MINE: '1' } });
    const names = (await readAll(bench.driver, handle)).split('\n').map((line) => line.split('=')[0]);
    expect(names.filter(Boolean).toSorted()).toEqual(['HOME', 'LANG', 'MINE', 'PATH', 'PWD', 'TMPDIR']);
  });

  test('no capabilities, no new privileges, and a filter over its system calls', async () => {
    const status = await run('cat /proc/self/status');
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^CapPrm:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^Seccomp:\t2$/m);
  });

  test('no way to a new namespace, a mount, or a file that runs as its owner', async () => {
    const output = await run(`
      unshare --user true 2>&1; mount -t tmpfs x /tmp 2>&1; chroot / true 2>&1
      cp /bin/true mine && chmod 4755 mine 2>&1
      echo 1 2>&1 >/proc/sys/kernel/core_pattern; nsenter --target $$ --mount true 2>&1; echo over`);
    expect(output).toMatch(/unshare: unshare failed: Operation not permitted/);
    expect(output).toMatch(/mount: .*(permission denied|must be superuser)/i);
    expect(output).toMatch(/chroot: .*Operation not permitted/);
    expect(output).toMatch(/chmod: .*Operation not permitted/);
    expect(output).toMatch(/core_pattern: (Permission denied|Read-only file system)/);
    expect(output).toMatch(/nsenter: .*(Operation not permitted|Permission denied)/);
  });

  test('a system that cannot be written to', async () => {
    const output = await run(
      'for f in /x /etc/ld.so.preload /usr/x /dev/x /run/latent/x; do touch $f && echo wrote $f; done',
    );
    expect(output).not.toContain('wrote');
    expect(output.match(/Read-only file system/g)?.length).toBe(5);
  });

  test('a /tmp of its own that is bounded', async () => {
    const limits = { memoryBytes: 64 << 20, cpus: 1, processes: 32 };
    const output = await run('ls -A /tmp | wc -l; head -c 50000000 /dev/zero >/tmp/f || stat -c %s /tmp/f', { limits });
    expect(output).toMatch(/^0\n/);
    expect(output).toMatch(/No space left on device/);
  });

  test('toolchains on its path, read-only', async () => {
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

  test('the names of itself and of its address', async () => {
    const output = await run('id -un; getent hosts "$(cat /proc/sys/kernel/hostname)"', { address: '10.1.2.3' });
    expect(output).toMatch(/^root\n10\.1\.2\.3 +conformance-/);
  });

  test('from a command that enters it: the same files, /tmp and processes, and no more rights', async () => {
    const handle = await bench.start({ script: 'echo here >/tmp/mine; echo up; sleep 600', ends: 'never' });
    await readUntil(bench.driver, handle, 'up\n');
    const script = `cat /tmp/mine; grep -c sleep /proc/[0-9]*/cmdline | grep -vc ':0'
      grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status; touch /x /usr/x; unshare --user true; id -u`;
    const result = await execAll(bench.driver, handle, { argv: ['/bin/sh', '-c', script], env: {} });
    expect(result.stdout).toMatch(/^here\n[1-9]\nCapEff:\t0+\nNoNewPrivs:\t1\nSeccomp:\t2\n0\n$/);
    expect(result.stderr.match(/Read-only file system/g)?.length).toBe(2);
    expect(result.stderr).toContain('unshare failed: Operation not permitted');
  });

  test.skipIf(process.getuid?.() !== 0)(
    'on the machine it is a user that owns nothing else (skipped unless root)',
    async () => {
      const spec = await bench.spec({ script: 'touch made; echo up; sleep 600', ends: 'never' });
      const handle = bench.adopt(await bench.driver.start(spec, { signal: AbortSignal.timeout(30_000) }));
      await readUntil(bench.driver, handle, 'up\n');
      const { uid } = await stat(join(spec.workdir, 'made'));
      expect(uid).toBeGreaterThanOrEqual(0x70000000);
      const { stdout } = await execAll(bench.driver, handle, { argv: ['cat', '/proc/self/uid_map'], env: {} });
      expect(stdout.trim().split(/\s+/)).toEqual(['0', String(uid), '1']);
    },
  );

  test('its supervisor: when that is killed, the job ends with it', async () => {
    const spec = await bench.spec({ script: 'exec 8>lifeline; echo up; sleep 600', ends: 'never' });
    const alive = await openLifeline(spec);
    const handle = bench.adopt(await bench.driver.start(spec, { signal: AbortSignal.timeout(30_000) }));
    await readUntil(bench.driver, handle, 'up\n');
    process.kill(Number(handle.state['pid']), 'SIGKILL');
    const exit = await bench.driver.wait(handle, { signal: AbortSignal.timeout(30_000) });
    expect(exit).toEqual({ code: -1, reason: 'its supervisor was killed from outside' });
    while (await alive.hasHolders()) await new Promise(setImmediate);
    await alive.close();
  });
});
