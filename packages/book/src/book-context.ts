import type { Clock, Logger } from '@latent/kit';
import type { EscrowDomain } from '@latent/protocol';
import type { CheckAgent } from './intake/check-agent.ts';
import type { RateLimiter } from './intake/rate-limiter.ts';
import type { BookOptions } from './options.ts';
import type { PeerService } from './peers/open-peers.ts';
import type { Roster } from './presence/roster.ts';
import type { PaidRelay } from './relay/open-paid-relay.ts';
import type { KeptAsks } from './store/kept-asks.ts';

/** What the parts of a book are given. */
export interface BookContext {
  readonly options: BookOptions;
  readonly domain: EscrowDomain;
  readonly kept: KeptAsks;
  readonly roster: Roster;
  readonly checkAgent: CheckAgent;
  /** Per agent key, once a signature has shown that the message is the agent's. */
  readonly agentLimiter: RateLimiter;
  /** Per place that calls: requests, and WebSockets that it opens. */
  readonly requestLimiter: RateLimiter;
  /** Links of peers, introductions, the relay. */
  readonly peers: PeerService;
  /** Relaying beyond what is free. */
  readonly paid: PaidRelay;
  /** Every URL under which an agent may have dialled this book. Known once it listens; nobody can dial before. */
  readonly urls: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly randomBytes: (size: number) => Uint8Array;
  /** Aborts when the book is to end. */
  readonly signal: AbortSignal;
}

export function nowSeconds(clock: Clock): number {
  return Math.floor(clock.nowMs() / 1_000);
}
