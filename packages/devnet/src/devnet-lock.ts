import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, rmSync } from 'node:fs';
import { type Clock, identifyProcess, isRunning, processIdentitySchema } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { devnetPaths } from './devnet-paths.ts';
import { hasCode } from './files/has-code.ts';
import { readJsonFile } from './files/read-json-file.ts';
import { writeFileAtomically } from './files/write-file-atomically.ts';

const POLL_MS = 50;

/**
 * Runs `work` while nobody else changes the network in this folder. A lock of a process that has ended does not count; one
 * of this very process is waited for.
 * @throws LatentError DEVNET_RUNNING when another process is at it
 */
export async function withDevnetLock<Result>(
  dataDir: string,
  clock: Clock,
  work: () => Promise<Result>,
): Promise<Result> {
  const { lock } = devnetPaths(dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  while (!tryLock(lock)) {
    const holder = readJsonFile(lock, processIdentitySchema);
    if (holder === undefined) continue;
    if (holder.pid === process.pid && isRunning(holder)) {
      await clock.sleep(POLL_MS);
    } else if (isRunning(holder)) {
      throw new LatentError('DEVNET_RUNNING', `Process ${holder.pid} is starting or stopping this local network.`, {
        hint: 'Wait until it has finished, or stop it first.',
        retry: 'later',
        details: { pid: holder.pid, dataDir },
      });
    } else {
      rmSync(lock, { force: true });
    }
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** A link appears whole or not at all, and fails where there is one: nobody ever reads half a lock. */
function tryLock(lock: string): boolean {
  const mine = `${lock}.${randomUUID()}`;
  writeFileAtomically(mine, JSON.stringify(identifyProcess(process.pid)), 0o600);
  try {
    linkSync(mine, lock);
    return true;
  } catch (thrown) {
    if (hasCode(thrown, 'EEXIST')) return false;
    throw thrown;
  } finally {
    rmSync(mine, { force: true });
  }
}
