import type { Logger } from '@latent/kit';
import type { AgreedLogs, Endpoints } from '../endpoints/endpoints.ts';
import type { ChainHead } from './follower.ts';
import type { Ledger } from './ledger.ts';
import type { LookSettings } from './look-at-chain.ts';

export interface AdvanceSettings extends LookSettings {
  readonly confirmations: bigint;
  readonly maxRangeBlocks: bigint;
}

export interface AdvanceContext {
  readonly endpoints: Endpoints;
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly settings: AdvanceSettings;
  /** By quorum, the logs of a range or of as much of its beginning as endpoints give at once; undefined: not reached yet. */
  readonly agreedLogs: (from: bigint, to: bigint) => Promise<AgreedLogs | undefined>;
}

/** Said of blocks whose logs are not one endpoint's. */
export const BY_QUORUM = 'a quorum of endpoints';

export const least = (a: bigint, b: bigint) => (a < b ? a : b);
export const most = (a: bigint, b: bigint) => (a > b ? a : b);

export function headOf({ number, hash, timestamp }: ChainHead): ChainHead {
  return { number, hash, timestamp };
}
