import { toLatentError } from '@latent/protocol';
import type { WatchContext } from '../watch-context.ts';
import { carryOutDeed, dropUnsent } from './carry-out-deed.ts';
import { forgetClosed } from './forget-closed.ts';
import { lookOnce } from './look-once.ts';

/** At most so many transactions under way at once. */
const MOST_DEEDS = 8;

/**
 * Looks at the leases again and again until the signal aborts, and carries out what is decided, beginning with what an
 * earlier life of the process left open. What goes wrong is logged, and tried again.
 */
export async function tendLeases(context: WatchContext, feeBps: number): Promise<void> {
  const { clock, logger, signal, options, deeds } = context;
  const underWay = new Map<number, Promise<void>>();
  const carryOn = () => {
    for (const deed of deeds.open()) {
      if (underWay.has(deed.id)) continue;
      const ended = carryOutDeed(context, deed)
        .catch((thrown: unknown) => logger.error({ deed: deed.id, error: toLatentError(thrown) }, 'a deed failed'))
        .finally(() => underWay.delete(deed.id));
      underWay.set(deed.id, ended);
    }
  };
  dropUnsent(context);
  carryOn();
  while (!signal.aborted) {
    try {
      await catchUp(context);
      forgetClosed(context);
      if (underWay.size < MOST_DEEDS) await lookOnce(context, feeBps);
      carryOn();
    } catch (thrown) {
      if (signal.aborted) break;
      const { code, message } = toLatentError(thrown);
      logger.warn({ code, error: message }, 'could not look at the leases; trying again');
    }
    await clock.sleep(options.pollMs, { signal }).catch(() => undefined);
  }
  await Promise.all(underWay.values());
}

/**
 * Where endpoints contradict each other, it goes on with what was seen before: a lying endpoint must not keep anybody from
 * being paid in time, and a row that is wrong costs gas at most, after others have said that it is right.
 */
async function catchUp({ follower, signal, logger }: WatchContext): Promise<void> {
  try {
    await follower.catchUp(signal);
  } catch (thrown) {
    const { code, message } = toLatentError(thrown);
    if (code !== 'CHAIN_DISAGREES' || follower.head() === undefined) throw thrown;
    logger.error({ code, error: message }, 'endpoints contradict each other; going on with what was seen before');
  }
}
