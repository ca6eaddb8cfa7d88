import { writeFile } from 'node:fs/promises';
import { systemClock } from '@latent/kit';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type JobBench, openBench } from '../conformance/job-bench.ts';
import { readAll, readUntil } from '../conformance/read-all.ts';
import { describeDriver } from '../conformance.ts';
import { create } from './docker-driver.fixture.ts';
import { createDockerDriver } from './docker-driver.ts';
import { describeEngine, notByNumber } from './testing/describe-engine.ts';
import { openTestEngine } from './testing/test-engine.ts';

const signal = () => AbortSignal.timeout(60_000);

const answer = await openTestEngine('docker');
if ('missing' in answer) {
  describe.skip(`docker (skipped: ${answer.missing})`, () => {
    test('runs jobs', () => undefined);
  });
} else {
  const { engine } = answer;
  vi.stubEnv('LATENT_TEST_ENGINE', engine.socketPath);
  vi.stubEnv('LATENT_TEST_IMAGE', engine.image);
  afterAll(() => engine.close(), 60_000);

  describeDriver({
    name: 'docker',
    create,
    module: new URL('./docker-driver.fixture.ts', import.meta.url),
    skip: [notByNumber],
  });

  describeEngine('docker', engine);

  describe('docker', { timeout: 60_000 }, () => {
    let bench: JobBench;
    beforeEach(async () => {
      bench = await openBench(create(), () => ({}));
    });
    afterEach(() => bench.close());

    test('gives a job the network that the operator names, and its fingerprint says what that reaches', async () => {
      const { socketPath, image, network } = engine;
      const driver = createDockerDriver({ clock: systemClock, socket: socketPath, image, network });
      const fingerprint = await driver.fingerprint({ signal: signal() });
      expect(fingerprint.available && fingerprint.notes.join('\n')).toMatch(/^network: .*latent-test.*neighbours/m);
      const spec = await bench.spec({ script: 'ls /sys/class/net', ends: { code: 0 } });
      const handle = bench.adopt(await driver.start(spec, { signal: signal() }));
      expect((await readAll(driver, handle)).split('\n').toSorted()).toEqual(['', 'eth0', 'lo']);
    });

    test('keeps a job and its output over the engine’s death where containers live on without it', async () => {
      await engine.kill();
      await engine.start({ liveRestore: true });
      const spec = await bench.spec({
        script: 'echo up; until [ -e go ]; do sleep 0.02; done; echo on; exit 4',
        ends: { code: 4 },
      });
      const handle = bench.adopt(await bench.driver.start(spec, { signal: signal() }));
      await readUntil(bench.driver, handle, 'up\n');
      await engine.kill();
      expect(await create().recover(handle)).toEqual({ kind: 'running' });
      await engine.start({ liveRestore: true });
      expect(await bench.driver.recover(handle)).toEqual({ kind: 'running' });
      expect((await bench.driver.stats(handle)).processes).toBeGreaterThan(0);
      await writeFile(`${spec.workdir}/go`, '');
      expect(await bench.driver.wait(handle, { signal: signal() })).toEqual({ code: 4 });
      expect(await readAll(bench.driver, handle)).toBe('up\non\n');
    });

    test('says that a job has ended which the engine ends as it starts anew', async () => {
      await engine.kill();
      await engine.start({ liveRestore: false });
      const handle = await bench.start({ script: 'echo up; sleep 600', ends: 'never' });
      await readUntil(bench.driver, handle, 'up\n');
      const wait = bench.driver.wait(handle, { signal: signal() });
      await engine.kill();
      await engine.start({ liveRestore: false });
      const exit = await wait;
      expect(exit.code).not.toBe(0);
      expect(await create().recover(handle)).toEqual({ kind: 'exited', exit });
      expect(await readAll(bench.driver, handle)).toBe('up\n');
    });

    test('says that a job has ended, and not how, when the engine stays away', async () => {
      const { socketPath, image } = engine;
      const limits = { lostMs: 0 };
      const driver = createDockerDriver({ clock: systemClock, socket: socketPath, image, network: 'none', limits });
      const spec = await bench.spec({ script: 'echo up; until [ -e go ]; do sleep 0.02; done', ends: { code: 0 } });
      const handle = bench.adopt(await driver.start(spec, { signal: signal() }));
      await readUntil(driver, handle, 'up\n');
      await engine.kill();
      try {
        await writeFile(`${spec.workdir}/go`, '');
        const exit = await driver.wait(handle, { signal: signal() });
        expect(exit).toEqual({ code: -1, reason: 'the container engine does not say how it ended' });
        await expect(driver.stop(handle, { graceMs: 0 })).resolves.toBeUndefined();
        await expect(driver.destroy(handle)).rejects.toMatchObject({ code: 'DRIVER_UNAVAILABLE' });
      } finally {
        await engine.start({ liveRestore: false });
      }
    });
  });
}
