import type { Discovery } from '@latent/protocol';
import type { BookContext } from '../book-context.ts';
import type { RateLimiter } from '../intake/rate-limiter.ts';
import type { Wheel } from '../sockets/wheel.ts';
import type { HeldFrames } from './held-frames.ts';
import type { Link } from './link.ts';
import type { LinkRoster } from './link-roster.ts';
import type { OpenChannels } from './open-channels.ts';
import type { RelayAllowances } from './relay-allowance.ts';
import type { RelayBacklog } from './relay-backlog.ts';
import type { RelayRates } from './relay-rates.ts';

/** What a book has from elsewhere for its peers. */
export type PeersDependencies = Pick<
  BookContext,
  'options' | 'urls' | 'clock' | 'logger' | 'randomBytes' | 'signal' | 'paid'
>;

/** What the parts that serve peers share. */
export interface PeersContext extends PeersDependencies {
  /** Undefined: this book answers no questions by UDP. */
  readonly discovery: Discovery | undefined;
  readonly roster: LinkRoster;
  readonly channels: OpenChannels;
  readonly backlog: RelayBacklog;
  readonly rates: RelayRates;
  readonly allowances: RelayAllowances;
  /** What waits for vouchers. */
  readonly held: HeldFrames;
  readonly introductionsByKey: RateLimiter;
  readonly introductionsByPlace: RateLimiter;
  /** Those that have not shown whose link they are; visited once, when their time is up. */
  readonly strangers: Wheel<Stranger>;
  /** Links, to be pinged. */
  readonly pinged: Wheel<Link>;
}

export interface Stranger {
  readonly drop: () => void;
}
