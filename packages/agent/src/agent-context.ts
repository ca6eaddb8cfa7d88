import type { Clock, Logger } from '@latent/kit';
import type { ChainClient } from '@latent/sdk';
import type { Driver } from './drivers/driver.ts';
import type { HoldStore } from './holds/hold-store.ts';
import type { Identity } from './identity/load-identity.ts';
import type { MemberStore } from './leases/member-store.ts';
import type { AgentOptions } from './options.ts';

/** What the parts of an agent are given. One machine, one agent key, one driver. */
export interface AgentContext {
  readonly options: AgentOptions;
  readonly identity: Identity;
  readonly chain: ChainClient;
  readonly driver: Driver;
  readonly members: MemberStore;
  readonly holds: HoldStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborts when the agent is to end. Jobs go on. */
  readonly signal: AbortSignal;
}

export function nowSeconds(clock: Clock): number {
  return Math.floor(clock.nowMs() / 1000);
}
