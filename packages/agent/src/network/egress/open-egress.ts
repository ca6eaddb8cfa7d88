import { type Clock, isRunning, type Logger, type ProcessIdentity } from '@latent/kit';
import { endCarrier, findCarrier, startCarrier } from './carrier-process.ts';
import { EGRESS_NAMESERVER } from './egress-rules.ts';
import { loadRules } from './load-rules.ts';
import { ownRanges } from './own-ranges.ts';

export interface EgressOptions {
  /** Folder in which the next life of the agent finds what this one started. */
  readonly stateDir: string;
  /** IPv4 ranges that are refused besides what is not public and what the machine is in. */
  readonly refused: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborts when the agent ends: what carries goes on. */
  readonly signal: AbortSignal;
}

/** A way from a network namespace to public IPv4 addresses by TCP and UDP, and to nothing else. */
export interface Egress {
  /** IPv4 address to resolve names at. */
  readonly nameserver: string;
  /** Ends what carries. The namespace keeps its firewall. Never throws. */
  close(): Promise<void>;
}

/** How often it is looked whether the carrier still runs and the machine still has the same addresses. */
const LOOK_MS = 1_000;

/**
 * Opens the way out, or takes up what an earlier life of the agent opened. The firewall is there before the way is, and stays when what carries is
 * gone; that is then started again.
 * @throws what went wrong, in words; nothing carries then
 */
export async function openEgress(namespacePath: string, options: EgressOptions): Promise<Egress> {
  const { stateDir, clock, logger, signal } = options;
  let loaded = rangesOf(options);
  await loadRules(namespacePath, loaded);
  let carrier = await takeUp(namespacePath, options);
  const ending = new AbortController();

  const look = async () => {
    const ranges = rangesOf(options);
    if (ranges.join() !== loaded.join()) {
      await loadRules(namespacePath, ranges);
      loaded = ranges;
    }
    if (isRunning(carrier)) return;
    logger.warn({ stateDir }, 'the way out of a private network has ended; it is started again');
    carrier = await startCarrier(namespacePath, stateDir);
  };
  const watch = async () => {
    const ended = AbortSignal.any([signal, ending.signal]);
    while (!ended.aborted) {
      await clock.sleep(LOOK_MS, { signal: ended }).catch(() => undefined);
      if (ended.aborted) return;
      await look().catch((error: unknown) => {
        logger.error({ error, stateDir }, 'the way out of a private network is not there');
      });
    }
  };
  const watching = watch();
  return {
    nameserver: EGRESS_NAMESERVER,
    close: async () => {
      ending.abort();
      await watching;
      await removeEgress(options);
    },
  };
}

/** Ends what an earlier life of the agent left. Repeatable; never throws. */
export async function removeEgress({
  stateDir,
  clock,
  logger,
}: Pick<EgressOptions, 'stateDir' | 'clock' | 'logger'>): Promise<void> {
  try {
    await endCarrier(stateDir, { clock });
  } catch (error) {
    logger.error({ error, stateDir }, 'what carried the way out of a private network may be left behind');
  }
}

const rangesOf = ({ refused }: EgressOptions) => [...ownRanges(), ...refused];

async function takeUp(namespacePath: string, options: EgressOptions): Promise<ProcessIdentity> {
  const found = await findCarrier(options.stateDir);
  if (found !== undefined) return found;
  try {
    return await startCarrier(namespacePath, options.stateDir);
  } catch (thrown) {
    await removeEgress(options);
    throw thrown;
  }
}
