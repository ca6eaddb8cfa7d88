import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@latent/kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ImageStore, openImageStore } from '../../images/image-store.ts';
import { machineLayer } from '../../images/machine-image.fixture.ts';
import { openSmallRegistry, type SmallRegistry } from '../../images/registry/small-registry.fixture.ts';
import type { TarEntry } from '../../images/unpack/tar-archive.fixture.ts';
import { openCgroupTree } from '../cgroup/open-cgroup-tree.ts';
import { type JobBench, openBench } from '../conformance/job-bench.ts';
import { execAll, readAll, readUntil } from '../conformance/read-all.ts';
import type { RootKind } from './image-root.ts';
import { create } from './sandbox-driver.fixture.ts';
import { createSandboxDriver } from './sandbox-driver.ts';

const fingerprint = await create().fingerprint({ signal: AbortSignal.timeout(30_000) });
const unavailable = fingerprint.available ? '' : ` (skipped: ${fingerprint.reason}; ${fingerprint.remedy})`;
const isRoot = process.getuid?.() === 0;

describe.skipIf(!fingerprint.available)(`a job in an image${unavailable}`, { timeout: 60_000 }, () => {
  let folder: string;
  let registry: SmallRegistry;
  let store: ImageStore;
  let base: readonly TarEntry[];
  let image: string;
  let leases = 0;

  beforeAll(async () => {
    // Below the root: other users may not enter a folder of a test.
    folder = await mkdtemp(join(tmpdir(), 'latent-image-job-'));
    registry = await openSmallRegistry();
    store = await openImageStore({
      ...{ folder: join(folder, 'images'), jobs: join(folder, 'jobs'), maxBytes: 1 << 30, allowLocal: true },
      ...{ access: isRoot ? 'anyone' : 'owner', clock: systemClock },
    });
    base = await machineLayer();
    image = publish('base', [{ name: 'etc/motd', content: 'of the image\n' }]);
  });
  afterAll(async () => {
    await registry.close();
    await rm(folder, { recursive: true, force: true });
  });

  function publish(tag: string, entries: readonly TarEntry[]): string {
    registry.publish({ tag, layers: [base, entries], env: ['PATH=/usr/bin:/bin', 'FROM=image', 'BOTH=image'] });
    return `${registry.repository}:${tag}`;
  }

  async function lease(): Promise<string> {
    leases += 1;
    const imageDir = join(folder, 'jobs', `lease-${leases}`, 'image');
    await mkdir(imageDir, { recursive: true, mode: 0o700 });
    return imageDir;
  }

  const openDriver = (rootKind?: RootKind) =>
    createSandboxDriver({
      ...{ clock: systemClock, cgroups: openCgroupTree, images: store },
      ...(rootKind === undefined ? {} : { rootKind }),
    });

  async function withBench(work: (bench: JobBench) => Promise<void>, kind?: RootKind): Promise<void> {
    const bench = await openBench(openDriver(kind), () => ({}));
    try {
      await work(bench);
    } finally {
      await bench.close();
    }
  }

  const run = async (bench: JobBench, script: string, change: object): Promise<string> => {
    const handle = await bench.start({ script, ends: { code: 0 }, change });
    return readAll(bench.driver, handle);
  };

  test('sees the files and variables of the image, its own variables before those, and nothing of the machine', () =>
    withBench(async (bench) => {
      const output = await run(
        bench,
        'cat /etc/motd; ls -A /; echo $FROM $BOTH $PATH $PWD $HOME; ls /home /root 2>&1; id -u',
        {
          ...{ image, imageDir: await lease(), env: { BOTH: 'job' } },
        },
      );
      expect(output).toMatch(/^of the image\n/);
      expect(output).toContain('image job /usr/bin:/bin /work /work\n');
      expect(output.match(/No such file/g)).toHaveLength(2);
      expect(output).toMatch(/^0$/m);
      const names = output.split('\n').slice(1, 11);
      expect(names).toEqual(expect.arrayContaining(['bin', 'dev', 'etc', 'lib64', 'proc', 'tmp', 'usr', 'work']));
    }));

  describe.each<RootKind>(['overlay', 'copy'])('whose files are an %s', (kind) => {
    test('may write anywhere, finds it in its next step, and leaves the image as it was', () =>
      withBench(async (bench) => {
        const imageDir = await lease();
        const change = { image, imageDir };
        const first = `echo changed >/etc/motd; echo new >/usr/lib-new; rm /usr/bin/head; mkdir -p /opt/venv && echo x >/opt/venv/x
          echo mine >mine; cat /etc/motd`;
        expect(await run(bench, first, change)).toBe('changed\n');
        const second =
          'cat /etc/motd /usr/lib-new /opt/venv/x; ls /usr/bin/head 2>&1; echo more >>/etc/motd && echo again >/usr/lib-new && cat /usr/lib-new';
        const output = await run(bench, second, change);
        expect(output).toMatch(/^changed\nnew\nx\n.*No such file or directory\nagain\n$/);
        expect(await run(bench, 'cat /etc/motd; ls /opt 2>&1', { image, imageDir: await lease() })).toMatch(
          /^of the image\n.*No such/,
        );
        const tree = await store.prepare(image, { folder: imageDir, signal: AbortSignal.timeout(10_000) });
        expect(await readFile(join(tree.root, 'etc/motd'), 'utf8')).toBe('of the image\n');
        expect(await readdir(tree.root)).not.toContain('opt');
      }, kind));

    test('lets a command in to the same files, /tmp and processes, and with no more rights', () =>
      withBench(async (bench) => {
        const change = { image, imageDir: await lease() };
        const handle = await bench.start({
          script: 'echo here >/tmp/mine; echo file >f; echo up; sleep 600',
          ends: 'never',
          change,
        });
        await readUntil(bench.driver, handle, 'up\n');
        const script = `cat /tmp/mine f; grep -c sleep /proc/[0-9]*/cmdline | grep -vc ':0'
          grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status; unshare --user true; id -u; echo by-command >/tmp/theirs`;
        const result = await execAll(bench.driver, handle, { argv: ['/bin/sh', '-c', script], env: {} });
        expect(result.stdout).toMatch(/^here\nfile\n[1-9]\nCapEff:\t0+\nNoNewPrivs:\t1\nSeccomp:\t2\n0\n$/);
        expect(result.stderr).toContain('unshare failed: Operation not permitted');
        const again = await execAll(bench.driver, handle, { argv: ['cat', '/tmp/theirs'], env: {} });
        expect(again.stdout).toBe('by-command\n');
      }, kind));

    test('cannot lead the next step or a command out by links it leaves', () =>
      withBench(async (bench) => {
        const imageDir = await lease();
        const change = { image, imageDir };
        const outside = await mkdtemp(join(tmpdir(), 'latent-outside-'));
        const target = `/oldroot${outside}`;
        const script = `mv /etc /etc-before; ln -s ${target} /etc; rm -rf /tmp /work /dev /proc 2>/dev/null; ls -d /tmp; ls -ld /etc; ln -s ${target} /opt; echo up; sleep 600`;
        const handle = await bench.start({ script, ends: 'never', change });
        await readUntil(bench.driver, handle, 'up\n');
        const inside = await execAll(bench.driver, handle, {
          argv: ['/bin/sh', '-c', 'ls /etc/ 2>&1; echo still'],
          env: {},
        });
        expect(inside).toMatchObject({ exit: { code: 0 }, stderr: '' });
        expect(inside.stdout).toContain('still\n');
        await bench.driver.stop(handle, { graceMs: 0 });
        expect(await run(bench, 'ls -ld /etc; cat /etc/hosts', change)).toMatch(/^d.*\n127\.0\.0\.1 localhost/);
        expect(await readdir(outside)).toEqual([]);
        await rm(outside, { recursive: true });
      }, kind));
  });

  test('gets the folders it has to have, though its image puts links in their place', () =>
    withBench(async (bench) => {
      const outside = await mkdtemp(join(tmpdir(), 'latent-outside-'));
      const names = ['proc', 'dev', 'work', 'etc', 'tmp'];
      const links = names.map((name) => ({ name, type: '2', link: `/oldroot${outside}` }));
      const hostile = publish('links', links);
      const script =
        'for d in proc dev work etc tmp; do ls -ld /$d; done; echo >/tmp/x; echo >/work/y; cat /etc/hosts | head -1';
      const output = await run(bench, script, { image: hostile, imageDir: await lease() });
      expect(output.match(/^d/gm)).toHaveLength(5);
      expect(output).toContain('127.0.0.1 localhost');
      expect(await readdir(outside)).toEqual([]);
      await rm(outside, { recursive: true });
    }));

  test('that has no shell fails to start, and leaves nothing', () =>
    withBench(async (bench) => {
      registry.publish({ tag: 'empty', layers: [[{ name: 'data', content: 'x' }]] });
      const spec = await bench.spec({
        ...{ script: 'true', ends: { code: 0 } },
        change: { image: `${registry.repository}:empty`, imageDir: await lease() },
      });
      const start = bench.driver.start(spec, { signal: AbortSignal.timeout(30_000) });
      await expect(start).rejects.toMatchObject({ code: 'DRIVER_FAILED' });
      expect(await readdir(spec.stateDir)).toEqual([]);
    }));

  test('leaves nothing behind that the agent cannot remove', () =>
    withBench(async (bench) => {
      const imageDir = await lease();
      await run(bench, 'mkdir -p /var/lib/x/y; echo z >/var/lib/x/y/z; rm -rf /usr/bin/env', { image, imageDir });
      await rm(imageDir, { recursive: true });
      await expect(stat(imageDir)).rejects.toMatchObject({ code: 'ENOENT' });
    }));

  test('is prepared before it starts, and refused by a driver that has no images', async () => {
    const prepared: number[] = [];
    const stateDir = await mkdtemp(join(folder, 'state-'));
    await openDriver().prepare?.(
      {
        jobId: 'prepared',
        image: publish('prepared', [{ name: 'p', content: 'p' }]),
        imageDir: await lease(),
        stateDir,
      },
      { signal: AbortSignal.timeout(30_000), onProgress: ({ doneBytes }) => prepared.push(doneBytes) },
    );
    expect(prepared.length).toBeGreaterThan(0);
    const bench = await openBench(create(), () => ({}));
    const spec = await bench.spec({ script: 'true', ends: { code: 0 }, change: { image } });
    await writeFile(join(spec.workdir, 'x'), '');
    const start = bench.driver.start(spec, { signal: AbortSignal.timeout(30_000) });
    await expect(start).rejects.toMatchObject({ code: 'DRIVER_REFUSED' });
    await bench.close();
  });
});
