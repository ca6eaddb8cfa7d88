import { type Clock, isRunning, type ProcessIdentity } from '@latent/kit';
import type { DevnetPaths } from './devnet-paths.ts';
import { type ProcessEntry, updateProcess } from './devnet-state.ts';
import { findStrays } from './processes/find-strays.ts';
import { stopProcesses } from './processes/stop-processes.ts';

const AGENTS_GRACE_MS = 8_000;
const STRAYS_GRACE_MS = 1_000;
/** The chain writes its whole state before it ends. */
const CHAIN_GRACE_MS = 20_000;

/**
 * Ends everything of a network: books and agents side by side, then jobs that outlive their agent by design and whatever
 * else nobody wrote down, and last the chain, when nobody needs it any more.
 * @returns how many processes there were
 * @throws LatentError DEVNET_FAILED when one does not end
 */
export async function endProcesses(
  paths: DevnetPaths,
  entries: readonly ProcessEntry[],
  clock: Clock,
): Promise<number> {
  const chain = runningOf(entries.filter(({ kind }) => kind === 'chain'));
  const others = runningOf(entries.filter(({ kind }) => kind !== 'chain'));
  await stopProcesses(others, { graceMs: AGENTS_GRACE_MS, clock });
  const strays = findStrays(paths.writtenBelow).filter(({ pid }) => !chain.some((one) => one.pid === pid));
  await stopProcesses(strays, { graceMs: STRAYS_GRACE_MS, clock });
  await stopProcesses(chain, { graceMs: CHAIN_GRACE_MS, clock });
  for (const { name } of entries) updateProcess(paths.dataDir, name, { identity: null });
  return chain.length + others.length + strays.length;
}

function runningOf(entries: readonly ProcessEntry[]): readonly ProcessIdentity[] {
  return entries.flatMap(({ identity }) => (identity !== null && isRunning(identity) ? [identity] : []));
}
