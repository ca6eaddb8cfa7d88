import type { Clock } from '@latent/kit';
import type { DevnetPaths } from './devnet-paths.ts';
import type { DevnetSettings, DevnetState } from './devnet-state.ts';
import type { RandomBytes } from './keys/load-account.ts';
import type { NetworkPlan } from './network-plan.ts';

/** What everything that works on a network needs. */
export interface DevnetContext {
  readonly paths: DevnetPaths;
  readonly settings: DevnetSettings;
  readonly plan: NetworkPlan;
  readonly isolation: DevnetState['isolation'];
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: DevnetProgress) => void;
}

/** What has just been done, for a person who waits. */
export interface DevnetProgress {
  readonly step: 'chain' | 'contracts' | 'sandbox' | 'books' | 'operators';
  readonly text: string;
}
