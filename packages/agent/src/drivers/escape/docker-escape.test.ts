import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type JobBench, openBench } from '../conformance/job-bench.ts';
import { execAll, readUntil } from '../conformance/read-all.ts';
import { create } from '../docker/docker-driver.fixture.ts';
import { openTestEngine } from '../docker/testing/test-engine.ts';
import { openOf, openTargets, readWays, type Targets } from './ways.fixture.ts';

const targets = await openTargets();
const answer = typeof targets === 'string' ? { missing: targets } : await openTestEngine('docker');
if ('missing' in answer || typeof targets === 'string') {
  const reason = 'missing' in answer ? answer.missing : String(targets);
  describe.skip(`ways out of a container (skipped: ${reason})`, () => {
    test('are closed', () => undefined);
  });
} else {
  const { engine } = answer;
  vi.stubEnv('LATENT_TEST_ENGINE', engine.socketPath);
  vi.stubEnv('LATENT_TEST_IMAGE', engine.image);
  afterAll(() => engine.close(), 60_000);
  describe('ways out of a container', { timeout: 60_000 }, () => describeWays(targets));
}

/** The first process is the job's own, and under the same filter. */
const OWN = ['first_environment', 'first_process', 'first_root', 'first_thread'];
/** Every container is shown what /sys says of the machine. */
const TOLD = ['read_dmi'];

function describeWays(targets: Targets): void {
  afterAll(() => targets.close());
  let bench: JobBench;
  beforeEach(async () => {
    bench = await openBench(create(), () => ({}));
  });
  afterEach(() => bench.close());

  test('are closed to a job and to a command that enters it, but for what its container is shown', async () => {
    const spec = await bench.spec({ script: './ways; echo over; sleep 600', ends: 'never', env: targets.env });
    await copyFile(targets.program, join(spec.workdir, 'ways'));
    const handle = bench.adopt(await bench.driver.start(spec, { signal: AbortSignal.timeout(30_000) }));
    const inside = readWays((await readUntil(bench.driver, handle, 'over\n')).replace('over\n', ''));
    expect([...inside.keys()]).toEqual([...targets.outside.keys()]);
    expect(openOf(inside).toSorted()).toEqual([...OWN, ...TOLD]);
    const { stdout } = await execAll(bench.driver, handle, { argv: ['./ways'], env: {} });
    expect(openOf(readWays(stdout)).toSorted()).toEqual([...OWN, ...TOLD]);
  });
}
