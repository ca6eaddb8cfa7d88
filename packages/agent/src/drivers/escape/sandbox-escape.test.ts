import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addressOf, openMembers } from '../../network/member-network.fixture.ts';
import { probeNetwork } from '../../network/probe-network.ts';
import { type JobBench, openBench } from '../conformance/job-bench.ts';
import { execAll, readAll, readUntil } from '../conformance/read-all.ts';
import type { JobSpec } from '../driver.ts';
import { create } from '../sandbox/sandbox-driver.fixture.ts';
import { openOf, openTargets, readWays, type Targets, type Ways } from './ways.fixture.ts';

const signal = AbortSignal.timeout(30_000);
const [sandbox, network, targets] = await Promise.all([
  create().fingerprint({ signal }),
  probeNetwork({ signal }),
  openTargets(),
]);

/** Into what only the network keeps apart. */
const BY_NETWORK = ['abstract_socket', 'machine_loopback'];
/** A way that is closed to the job, and open to it while its renter has a command enter: docs/threat-model.md. */
const KNOWN = ['unfiltered_process'];
/** What a machine may lack: then it is not there outside either, and nothing is shown by its being closed inside. */
const ABSENT = ['ENOENT', 'ENOSYS', 'ENODEV', 'ENXIO', 'EAFNOSUPPORT', 'EIO', 'EOPNOTSUPP'];

if (!sandbox.available || typeof targets === 'string') {
  const reason = sandbox.available ? String(targets) : `${sandbox.reason}; ${sandbox.remedy}`;
  describe.skip(`ways out of the sandbox (skipped: ${reason})`, () => {
    test('are closed', () => undefined);
  });
} else {
  describe('ways out of the sandbox', { timeout: 60_000 }, () => describeWays(targets));
}

function describeWays(targets: Targets): void {
  afterAll(() => targets.close());
  let bench: JobBench;
  beforeEach(async () => {
    bench = await openBench(create(), () => ({}));
  });
  afterEach(() => bench.close());

  const start = async (script: string, change: Partial<JobSpec> = {}) => {
    const spec = await bench.spec({ script, ends: { code: 0 }, env: targets.env, change });
    await copyFile(targets.program, join(spec.workdir, 'ways'));
    return bench.adopt(await bench.driver.start(spec, { signal: AbortSignal.timeout(30_000) }));
  };
  const tryInside = async (change: Partial<JobSpec> = {}): Promise<Ways> =>
    readWays(await readAll(bench.driver, await start('./ways', change)));

  test('are open where nothing keeps a process, or are not there on this machine', () => {
    const closed = [...targets.outside].filter(([, result]) => result !== 'open' && !ABSENT.includes(result));
    expect(closed).toEqual([]);
    expect(openOf(targets.outside).length).toBeGreaterThanOrEqual(30);
  });

  test('are closed to a job, but for those through the network that it shares with the machine', async () => {
    const inside = await tryInside();
    expect([...inside.keys()]).toEqual([...targets.outside.keys()]);
    expect(openOf(inside).toSorted()).toEqual(BY_NETWORK);
  });

  test.skipIf(!network.usable)(
    'are all closed to a job in a private network (skipped without such networks)',
    async () => {
      const [zero] = await openMembers(1);
      const namespacePath = zero?.network.namespacePath ?? '';
      const joined = { namespacePath, address: addressOf(0), prefixLength: 16, hosts: [] };
      expect(openOf(await tryInside({ network: joined }))).toEqual([]);
    },
  );

  test('are closed to a command that enters a job, but for one that is known', async () => {
    const handle = await start('echo up; sleep 600');
    await readUntil(bench.driver, handle, 'up\n');
    const { stdout } = await execAll(bench.driver, handle, { argv: ['./ways'], env: {} });
    expect(openOf(readWays(stdout)).toSorted()).toEqual([...BY_NETWORK, ...KNOWN]);
  });
}
