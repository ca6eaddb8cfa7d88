import { spawn } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { identifyProcess, type ProcessIdentity } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { isMeteredElsewhere } from '@latent/sdk';
import type { ClusterStore } from '../home/cluster-store.ts';
import type { LatentHome } from '../home/latent-home.ts';

/**
 * Makes sure that a process meters the cluster. It is a session of its own, so that it outlives the terminal: closing the
 * laptop's lid ends the job, closing the window does not.
 * None is started for a cluster whose meter was handed over, until it is to end.
 * @returns whether one had to be started
 */
export function ensureMeter(home: LatentHome, store: ClusterStore, name: string): boolean {
  if (isMeteredElsewhere(store.load(name))) return false;
  return store.claimMeter(name, () => spawnMeter(home, name));
}

function spawnMeter(home: LatentHome, name: string): ProcessIdentity {
  const folder = home.clusterFolder(name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const log = openSync(join(folder, 'meter.log'), 'a', 0o600);
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, 'meter', 'run', name], { detached: true, stdio: ['ignore', log, log] });
  if (child.pid === undefined) throw new LatentError('INTERNAL', 'The meter process could not be started.');
  child.unref();
  return identifyProcess(child.pid);
}
