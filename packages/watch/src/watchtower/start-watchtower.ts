import type { WatchtowerOptions } from '../options.ts';
import { createWorksFor } from '../policy/works-for.ts';
import { type RunningWatch, startWatch, type WatchDependencies } from '../start-watch.ts';

/**
 * Starts a watchtower: it keeps the best voucher of each lease, and posts it once the lease was stopped or has ended, or a
 * member was dismissed, and nobody else has posted it: long before the closing window is over.
 * @throws as `startKeeper`
 */
export function startWatchtower(options: WatchtowerOptions, dependencies: WatchDependencies): Promise<RunningWatch> {
  const policy = {
    ...{ worksFor: createWorksFor(options.for), lastVoucherOnly: true },
    ...{ patienceSeconds: options.patienceSeconds, spreadSeconds: options.spreadSeconds },
    // Of what is never done before it is due.
    ...{ minWorth: 0n, gasTimes: 1n, maxAgeSeconds: 0, freedSeconds: 0 },
  };
  return startWatch('watchtower', options, policy, dependencies);
}
