import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  addressOf,
  listenAt,
  openMembers,
  startTcpEnd,
  type TestMember,
} from '../../network/member-network.fixture.ts';
import { probeNetwork } from '../../network/probe-network.ts';
import { type JobBench, openBench } from '../conformance/job-bench.ts';
import { execAll, readAll, readUntil } from '../conformance/read-all.ts';
import type { JobNetwork } from '../driver.ts';
import { create } from './sandbox-driver.fixture.ts';

const run = promisify(execFile);
const signal = () => AbortSignal.timeout(30_000);
const [sandbox, network] = await Promise.all([
  create().fingerprint({ signal: signal() }),
  probeNetwork({ signal: signal() }),
]);
const isRoot = process.getuid?.() === 0;

function missing(): string {
  if (!sandbox.available) return ` (skipped: ${sandbox.reason}; ${sandbox.remedy})`;
  if (!network.usable) return ` (skipped: ${network.reason}; ${network.remedy})`;
  return isRoot ? '' : ' (skipped unless root)';
}

const PROGRAM = fileURLToPath(new URL('./network-as-user.fixture.ts', import.meta.url));
const AS_USER = ['setpriv', '--reuid=23456', '--regid=23456', '--clear-groups', '--inh-caps=-all', '--'];
const canUserRead = isRoot && spawnSync('sh', ['-c', `exec ${AS_USER.join(' ')} test -r "$0"`, PROGRAM]).status === 0;

/** Devices of the namespace by their names, as a process in it sees them. */
const DEVICES = "sed -n 's/^ *\\([a-z0-9]*\\):.*/\\1/p' /proc/net/dev";

describe.skipIf(missing() !== '')(`a sandbox in a private network${missing()}`, { timeout: 60_000 }, () => {
  let bench: JobBench;
  beforeEach(async () => {
    bench = await openBench(create(), () => ({}));
  });
  afterEach(() => bench.close());

  const joining = (member: TestMember | undefined): { readonly network: JobNetwork } => ({
    network: {
      namespacePath: member?.network.namespacePath ?? '',
      address: addressOf(0),
      prefixLength: 16,
      hosts: [0, 1].map((rank) => ({ name: `rank-${rank}.cluster`, address: addressOf(rank) })),
    },
  });

  test('has the network alone, by address and by names, and reaches the others in it', async () => {
    const [zero, one] = await openMembers(2);
    const port = await listenAt(startTcpEnd(one?.network.namespacePath), addressOf(1));
    const script = `${DEVICES}
      getent hosts rank-0.cluster rank-1.cluster "$(cat /proc/sys/kernel/hostname)"
      exec bash -c 'exec 3<>/dev/tcp/rank-1.cluster/${port} && echo over >&3 && head -n 1 <&3'`;
    const handle = await bench.start({ script, ends: { code: 0 }, change: joining(zero) });
    const lines = (await readAll(bench.driver, handle)).trim().split('\n');
    expect(lines.slice(0, 2).toSorted()).toEqual(['latent0', 'lo']);
    expect(lines.slice(2).map((line) => line.split(/\s+/).slice(0, 2).join(' '))).toEqual([
      `${addressOf(0)} rank-0.cluster`,
      `${addressOf(1)} rank-1.cluster`,
      expect.stringMatching(`^${addressOf(0)} conformance-`),
      'over',
    ]);
  });

  test('resolves names where its way out says, and not where the machine does', async () => {
    const [zero] = await openMembers(1);
    const { network } = joining(zero);
    const look = async (change: { readonly network: JobNetwork }) =>
      readAll(bench.driver, await bench.start({ script: 'cat /etc/resolv.conf', ends: { code: 0 }, change }));
    expect(await look({ network: { ...network, nameserver: '198.19.255.3' } })).toBe('nameserver 198.19.255.3\n');
    expect(await look({ network })).toMatch(/^# no way out.*\n$/);
  });

  test('can neither change the network nor leave it', async () => {
    const [zero] = await openMembers(1);
    const script = `grep CapEff /proc/self/status
      echo 1 2>&1 >/proc/sys/net/ipv4/ip_forward; nsenter --net=/proc/self/ns/net true 2>&1; unshare --net true 2>&1
      command -v ip >/dev/null && ip link set latent0 down && echo went down; ${DEVICES} | grep -c .`;
    const handle = await bench.start({ script, ends: { code: 0 }, change: joining(zero) });
    const output = await readAll(bench.driver, handle);
    expect(output).toMatch(/^CapEff:\t0+$/m);
    expect(output).toMatch(/ip_forward: (Permission denied|Read-only file system)/);
    expect(output).toMatch(/nsenter: .*(Operation not permitted|Permission denied)/);
    expect(output).toMatch(/unshare failed: Operation not permitted/);
    expect(output).not.toContain('went down');
  });

  test('takes commands into it that enter the job, until it is gone', async () => {
    const [zero] = await openMembers(1);
    const handle = await bench.start({ script: 'echo up; sleep 600', ends: 'never', change: joining(zero) });
    await readUntil(bench.driver, handle, 'up\n');
    const command = { argv: ['/bin/sh', '-c', `${DEVICES}; grep CapEff /proc/self/status`], env: {} };
    const { stdout } = await execAll(bench.driver, handle, command);
    expect(stdout.trim().split('\n').toSorted()).toEqual([expect.stringMatching(/^CapEff:\t0+$/), 'latent0', 'lo']);
    await zero?.network.close();
    await expect(execAll(bench.driver, handle, command)).rejects.toMatchObject({ code: 'MEMBER_NOT_STARTED' });
  });

  const unreadable = canUserRead ? '' : ' (skipped: other users cannot read the folder of the tests)';
  test.skipIf(!canUserRead)(
    `is had by an agent too that is not root but may open /dev/net/tun${unreadable}`,
    async () => {
      const script = `mount -t tmpfs none /mnt && mknod -m 0666 /mnt/tun c 10 200 && mount --bind /mnt/tun /dev/net/tun &&
      exec ${AS_USER.join(' ')} "$@"`;
      const within = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', process.execPath, PROGRAM];
      const { stdout } = await run('unshare', within, { timeout: 50_000 });
      const { job, exec, uid } = JSON.parse(stdout);
      expect(uid).toBe(23_456);
      expect(job.trim().split('\n').toSorted()).toEqual([
        expect.stringMatching(/^CapEff:\t0+$/),
        'latent0',
        'lo',
        'up',
      ]);
      expect(exec.trim().split('\n').toSorted()).toEqual([expect.stringMatching(/^CapEff:\t0+$/), 'latent0', 'lo']);
    },
  );
});
