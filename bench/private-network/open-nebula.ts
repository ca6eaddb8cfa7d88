import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { linkAddressOf } from './addresses.ts';
import { openLink } from './open-link.ts';
import { openTcpWay, type Way } from './way.ts';

const run = promisify(execFile);
const PORT = 4242;
const nebulaAddress = (rank: number) => `10.201.0.${rank + 1}`;

/** @returns undefined where Nebula is not installed */
export async function openNebulaWay(signal: AbortSignal): Promise<Way | undefined> {
  const found = await Promise.all(['nebula', 'nebula-cert'].map(isInstalled));
  if (found.includes(false)) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'latent-bench-nebula-'));
  const link = await openLink('nebula');
  const children: ChildProcess[] = [];
  const carried = async () => {
    await Promise.all(children.map(endChild));
    await link.remove();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await run('nebula-cert', ['ca', '-name', 'bench'], { cwd: folder });
    for (const rank of [0, 1]) {
      await run('nebula-cert', ['sign', '-name', `rank${rank}`, '-ip', `${nebulaAddress(rank)}/24`], { cwd: folder });
      const file = join(folder, `${rank}.yml`);
      await writeFile(file, settings(folder, rank));
      const words = [`--net=/run/netns/${link.names[rank]}`, '--', 'nebula', '-config', file];
      children.push(spawn('nsenter', words, { stdio: 'ignore' }));
      await hasAddress(`/run/netns/${link.names[rank]}`, nebulaAddress(rank), signal);
    }
    const place = (rank: 0 | 1) => ({ namespacePath: link.places[rank].namespacePath, address: nebulaAddress(rank) });
    const pids = children.map(({ pid }) => pid ?? 0);
    return await openTcpWay({ title: 'Nebula', pids, carried }, [place(0), place(1)], signal);
  } catch (thrown) {
    await carried();
    throw thrown;
  }
}

function settings(folder: string, rank: number): string {
  const other = 1 - rank;
  return JSON.stringify({
    pki: { ca: join(folder, 'ca.crt'), cert: join(folder, `rank${rank}.crt`), key: join(folder, `rank${rank}.key`) },
    static_host_map: { [nebulaAddress(other)]: [`${linkAddressOf(other)}:${PORT}`] },
    lighthouse: { am_lighthouse: false, hosts: [] },
    listen: { host: '0.0.0.0', port: PORT },
    tun: { dev: 'nebula1' },
    firewall: {
      outbound: [{ port: 'any', proto: 'any', host: 'any' }],
      inbound: [{ port: 'any', proto: 'any', host: 'any' }],
    },
  });
}

async function isInstalled(program: string): Promise<boolean> {
  return await run('sh', ['-c', `command -v ${program}`]).then(
    () => true,
    () => false,
  );
}

async function hasAddress(namespacePath: string, address: string, signal: AbortSignal): Promise<void> {
  while (true) {
    const { stdout } = await run('nsenter', [`--net=${namespacePath}`, '--', 'ip', 'address'], { signal });
    if (stdout.includes(`${address}/`)) return;
    await sleep(50, undefined, { signal });
  }
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
