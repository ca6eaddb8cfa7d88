import type { KeeperOptions } from '../options.ts';
import { createWorksFor } from '../policy/works-for.ts';
import { type RunningWatch, startWatch, type WatchDependencies } from '../start-watch.ts';

/**
 * Starts a keeper: it takes vouchers and claims, checkpoints leases when what is at stake outweighs the gas, closes those
 * whose members all signed, lets members leave, and finalizes after the closing window.
 * @throws LatentError CONFIG_INVALID, CHAIN_WRONG, WATCH_RUNNING, and kit's errors if a store or the key cannot be used
 */
export function startKeeper(options: KeeperOptions, dependencies: WatchDependencies): Promise<RunningWatch> {
  const { minWorth, gasTimes, maxAgeSeconds, patienceSeconds, spreadSeconds, freedSeconds } = options;
  const policy = {
    ...{ worksFor: createWorksFor(options.for), lastVoucherOnly: false, minWorth, gasTimes: BigInt(gasTimes) },
    ...{ maxAgeSeconds, patienceSeconds, spreadSeconds, freedSeconds },
  };
  return startWatch('keeper', options, policy, dependencies);
}
