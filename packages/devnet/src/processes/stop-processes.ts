import { type Clock, isRunning, type ProcessIdentity, signalProcess } from '@latent/kit';
import { LatentError } from '@latent/protocol';

export interface StopProcessesOptions {
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  readonly clock: Clock;
}

const POLL_MS = 20;
const KILLED_WITHIN_MS = 5_000;

/**
 * Ends processes, all at once: SIGTERM, and SIGKILL to the groups of those that are still there after `graceMs`.
 * Those that have ended already, or whose pid is another process's by now, are left alone.
 * @returns how many had to be killed
 * @throws LatentError DEVNET_FAILED when one does not even end by SIGKILL
 */
export async function stopProcesses(
  processes: readonly ProcessIdentity[],
  { graceMs, clock }: StopProcessesOptions,
): Promise<number> {
  for (const one of processes) signalProcess(one, 'SIGTERM');
  const stubborn = await leftAfter(processes, graceMs, clock);
  for (const one of stubborn) signalProcess(one, 'SIGKILL', { wholeGroup: true });
  const immortal = await leftAfter(stubborn, KILLED_WITHIN_MS, clock);
  if (immortal.length > 0) {
    throw new LatentError('DEVNET_FAILED', `${immortal.length} processes do not end.`, {
      hint: 'They may hang in the kernel (state D in ps): look at the storage of the machine.',
      details: { pids: immortal.map(({ pid }) => String(pid)) },
    });
  }
  return stubborn.length;
}

/** Those that still run after `limitMs`; returns at once when none does. */
async function leftAfter(
  processes: readonly ProcessIdentity[],
  limitMs: number,
  clock: Clock,
): Promise<readonly ProcessIdentity[]> {
  const deadline = clock.nowMs() + limitMs;
  for (;;) {
    const left = processes.filter(isRunning);
    if (left.length === 0 || clock.nowMs() >= deadline) return left;
    await clock.sleep(POLL_MS);
  }
}
