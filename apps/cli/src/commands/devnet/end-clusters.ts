import { isRunning, signalProcess, systemClock } from '@latent/kit';
import { isOver } from '@latent/sdk';
import type { CommandContext } from '../../run-command.ts';
import { endAndWait } from '../cluster/down.ts';

const CLOSED_WITHIN_MS = 30_000;
const ENDED_WITHIN_MS = 5_000;
const POLL_MS = 50;

/**
 * Closes every cluster of the local network, before that goes down. One that cannot be closed in time is left as it stands,
 * without its meter: nothing stays behind that waits for a chain that is gone.
 */
export async function endClusters(context: CommandContext): Promise<void> {
  const { store, output } = context;
  const open = store.list().filter((record) => record.network === 'devnet' && !isOver(record));
  const unhurried = { ...context, store, signal: AbortSignal.timeout(CLOSED_WITHIN_MS) };
  await Promise.all(
    open.map(async (record) => {
      output.line(`ending ${record.name}`);
      await endAndWait(unhurried, record).catch(() => output.warn(`${record.name} could not be closed in time`));
      await endMeter(context, record.name);
    }),
  );
}

/** SIGTERM, which leaves the record as it is, and SIGKILL should that not do. */
async function endMeter({ store }: CommandContext, name: string): Promise<void> {
  const meter = store.meter(name);
  if (meter === undefined) return;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    signalProcess(meter, signal);
    for (const deadline = systemClock.nowMs() + ENDED_WITHIN_MS; isRunning(meter); ) {
      if (systemClock.nowMs() >= deadline) break;
      await systemClock.sleep(POLL_MS);
    }
  }
}
