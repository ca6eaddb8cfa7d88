import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@latent/kit';
import { dropNamespace, holdNamespace } from './namespace/held-namespace.ts';
import { openTun } from './tun/open-tun.ts';

/** Whether this machine can have private networks. */
export type NetworkProbe =
  | { readonly usable: true }
  | { readonly usable: false; readonly reason: string; readonly remedy: string };

/** Whether private networks really work here, found out by making a namespace with a device, and removing it. Never throws. */
export async function probeNetwork({ signal }: { readonly signal: AbortSignal }): Promise<NetworkProbe> {
  if (process.platform !== 'linux') {
    const reason = `there are no private networks on ${process.platform}`;
    return { usable: false, reason, remedy: 'use a Linux machine' };
  }
  const stateDir = join(tmpdir(), `latent-probe-${randomUUID()}`);
  try {
    const namespace = await holdNamespace(stateDir);
    const settings = { name: 'latent0', address: '100.84.0.1', prefixLength: 16, mtu: 1_500 };
    (await openTun(namespace, settings, { signal })).close();
    return { usable: true };
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    return {
      usable: false,
      reason: `no TUN device in a network namespace: ${reason}`.slice(0, 300),
      remedy: remedyOf(reason),
    };
  } finally {
    await dropNamespace(stateDir, { clock: systemClock }).catch(() => undefined);
    await rm(stateDir, { recursive: true, force: true });
  }
}

function remedyOf(reason: string): string {
  if (reason.includes('/dev/net/tun: EACCES')) return 'let the user of the agent open it: chmod 0666 /dev/net/tun';
  if (reason.includes('/dev/net/tun'))
    return 'load the kernel module: modprobe tun; in a container, lend it the device /dev/net/tun';
  if (reason.includes('unshare')) return 'allow user namespaces to the user of the agent, or run it as root';
  return 'run the agent as root, or let its user make namespaces and open /dev/net/tun';
}
