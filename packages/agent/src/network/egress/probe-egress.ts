import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@latent/kit';
import { systemPath } from '../../drivers/supervised/system-path.ts';
import { dropNamespace, holdNamespace } from '../namespace/held-namespace.ts';
import { openEgress } from './open-egress.ts';

/** Whether private networks of this machine can have a way out. */
export type EgressProbe =
  | { readonly usable: true }
  | { readonly usable: false; readonly reason: string; readonly remedy: string };

const programs = [
  { name: 'slirp4netns', remedy: 'apt install slirp4netns' },
  { name: 'nft', remedy: 'apt install nftables' },
] as const;

/** Found out by opening one, with its firewall, and closing it. Nothing is sent. Never throws. */
export async function probeEgress({ signal }: { readonly signal: AbortSignal }): Promise<EgressProbe> {
  for (const { name, remedy } of programs) {
    if (!(await isInstalled(name))) return { usable: false, reason: `${name} is not installed`, remedy };
  }
  const stateDir = join(tmpdir(), `latent-egress-${randomUUID()}`);
  const options = { stateDir, refused: [], clock: systemClock, logger: silentLogger, signal };
  try {
    const { path } = await holdNamespace(stateDir);
    await (await openEgress(path, options)).close();
    return { usable: true };
  } catch (thrown) {
    const reason = (thrown instanceof Error ? thrown.message : String(thrown)).slice(0, 250);
    return {
      usable: false,
      reason: `a trial failed: ${reason}`,
      remedy:
        'see that `slirp4netns` and `nft` work for the user of the agent, who has to be able to open /dev/net/tun',
    };
  } finally {
    await dropNamespace(stateDir, { clock: systemClock }).catch(() => undefined);
    await rm(stateDir, { recursive: true, force: true });
  }
}

async function isInstalled(name: string): Promise<boolean> {
  const found = await Promise.all(
    systemPath.split(':').map((folder) =>
      access(join(folder, name), constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}
