import { resolve } from 'node:path';
import { type Clock, systemClock } from '@latent/kit';
import { notRunning } from './devnet.ts';
import { withDevnetLock } from './devnet-lock.ts';
import { devnetPaths } from './devnet-paths.ts';
import { readDevnetState } from './devnet-state.ts';
import { endProcesses } from './end-processes.ts';

export interface StopDevnetOptions {
  readonly dataDir: string;
  readonly clock?: Clock;
}

/**
 * Stops the network in a folder, whoever started it and however that one ended, with all jobs on it. The folder stays, and
 * `startDevnet` goes on from it.
 * @throws LatentError DEVNET_NOT_RUNNING when there was nothing to stop; DEVNET_FAILED when a process does not end
 */
export async function stopDevnet({ dataDir, clock = systemClock }: StopDevnetOptions): Promise<void> {
  const folder = resolve(dataDir);
  const before = readDevnetState(folder);
  if (before === undefined) throw notRunning(folder);
  await withDevnetLock(folder, clock, async () => {
    const ended = await endProcesses(devnetPaths(folder), readDevnetState(folder)?.processes ?? [], clock);
    if (ended === 0) throw notRunning(folder);
  });
}
