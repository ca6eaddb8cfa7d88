// What an agent of an ordinary user does for one job in a private network, as a program for tests to run as such a user. Prints what the job
// and a command that enters it see, as JSON.

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@latent/kit';
import { LatentError, leaseIdSchema } from '@latent/protocol';
import { openMemberNetwork } from '../../network/member-network.ts';
import { openBench } from '../conformance/job-bench.ts';
import { execAll, readUntil } from '../conformance/read-all.ts';
import { create } from './sandbox-driver.fixture.ts';

const LOOK = "grep CapEff /proc/self/status; sed -n 's/^ *\\([a-z0-9]*\\):.*/\\1/p' /proc/net/dev";

const folder = await mkdtemp(join(tmpdir(), 'latent-network-'));
const leaseId = leaseIdSchema.parse(`0x${randomBytes(32).toString('hex')}`);
const address = '100.84.0.1';
const network = await openMemberNetwork(
  { leaseId, rank: 0, address, prefixLength: 16, others: [] },
  {
    stateDir: join(folder, 'network'),
    logger: silentLogger,
    clock: systemClock,
    signal: new AbortController().signal,
    openStream: () => Promise.reject(new LatentError('PEER_UNREACHABLE', 'There is nobody else.')),
  },
);
const bench = await openBench(create(), () => ({}));
try {
  const { namespacePath } = network;
  const change = { network: { namespacePath, address, prefixLength: 16, hosts: [] } };
  const handle = await bench.start({ script: `${LOOK}; echo up; sleep 600`, ends: 'never', change });
  const job = await readUntil(bench.driver, handle, 'up\n');
  const { stdout } = await execAll(bench.driver, handle, { argv: ['/bin/sh', '-c', LOOK], env: {} });
  process.stdout.write(JSON.stringify({ uid: process.getuid?.(), job, exec: stdout }));
} finally {
  await bench.close();
  await network.close();
  await rm(folder, { recursive: true, force: true });
}
