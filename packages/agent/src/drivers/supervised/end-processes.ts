import type { Clock } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { isMissing } from '../is-missing.ts';
import { isRunning, type ProcessId } from './process-table.ts';

const pauseMs = 10;

/** Sends a signal, unless the process has ended and its number is free or another's. */
export async function signalProcess(target: ProcessId, signal: NodeJS.Signals): Promise<void> {
  if (!(await isRunning(target))) return;
  try {
    process.kill(target.pid, signal);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/**
 * SIGKILL to all that `list` finds, again and again until it finds none. They are stopped first: a stopped process cannot
 * fork, so even one that forks faster than it can be killed comes to rest.
 * @throws LatentError DRIVER_FAILED when some are left after `limitMs`.
 */
export async function endProcesses(
  list: () => Promise<readonly ProcessId[]>,
  options: { readonly clock: Clock; readonly limitMs: number },
): Promise<void> {
  const deadline = options.clock.nowMs() + options.limitMs;
  for (;;) {
    const left = await list();
    if (left.length === 0) return;
    if (options.clock.nowMs() > deadline) {
      throw new LatentError('DRIVER_FAILED', `${left.length} processes of the job do not end.`, {
        hint: 'They may hang in the kernel (state D in ps): look at the storage and devices of the machine.',
        details: { pids: left.slice(0, 20).map((one) => String(one.pid)) },
      });
    }
    for (const one of left) await signalProcess(one, 'SIGSTOP');
    for (const one of left) await signalProcess(one, 'SIGKILL');
    await options.clock.sleep(pauseMs);
  }
}
