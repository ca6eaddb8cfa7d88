import type { Endpoints, Follower, Sender } from '@latent/chain';
import type { Clock, Logger } from '@latent/kit';
import type { EscrowDomain } from '@latent/protocol';
import type { LocalAccount } from 'viem';
import type { ChainClock } from './chain/chain-clock.ts';
import type { RateLimiter } from './http/rate-limiter.ts';
import type { WatchOptions } from './options.ts';
import type { PaperStore } from './papers/paper-store.ts';
import type { Policy } from './policy/policy.ts';
import type { DeedStore } from './settle/deed-store.ts';

/** What the parts of a keeper or watchtower are given. */
export interface WatchContext {
  readonly kind: 'keeper' | 'watchtower';
  readonly options: WatchOptions;
  readonly policy: Policy;
  readonly domain: EscrowDomain;
  /** Pays for gas, and nothing else. */
  readonly account: LocalAccount;
  readonly papers: PaperStore;
  readonly deeds: DeedStore;
  readonly endpoints: Endpoints;
  readonly follower: Follower;
  readonly sender: Sender;
  readonly chainClock: ChainClock;
  /** Per lease, once a signature has shown that a paper is of it. */
  readonly leaseLimiter: RateLimiter;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborts when it is to end. */
  readonly signal: AbortSignal;
}
