import type { Clock, Logger, Store } from '@latent/kit';
import type { Deployment, LatentError, LeaseId, LeaseTerms, Member, Roster } from '@latent/protocol';
import type { Hex } from 'viem';
import type { RawLog } from '../endpoints/chain-shapes.ts';
import type { Endpoints } from '../endpoints/endpoints.ts';

/**
 * - `latest`: all that is in the newest block seen; may be taken back
 * - `confirmed`: what is so many blocks deep, and on which a quorum of endpoints agrees
 */
export type View = 'latest' | 'confirmed';

export interface FollowerOptions {
  readonly endpoints: Endpoints;
  readonly deployment: Pick<Deployment, 'chainId' | 'escrow' | 'operators' | 'deployedAtBlock'>;
  /** Opened with {@link followerMigrations}. One store holds one deployment. */
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How many blocks have to lie upon a block until it counts as confirmed. Default 12. */
  readonly confirmations?: bigint;
  /** Blocks below the head that are looked at one by one, and whose hashes are all kept. At least `confirmations`. Default 64. */
  readonly windowBlocks?: bigint;
  /** Most blocks of one range while catching up; halved where an endpoint refuses, and grown again. Default 2,000. */
  readonly maxRangeBlocks?: bigint;
  /** How often a new head is looked for. Default 2 s. */
  readonly pollMs?: number;
}

export interface ChainHead {
  readonly number: bigint;
  readonly hash: Hex;
  /** Unix seconds. */
  readonly timestamp: number;
}

/** An event of the escrow or of Operators. */
export interface ChainEvent {
  /** As in the ABI, such as `Opened`; undefined if the ABI here does not know it. */
  readonly name: string | undefined;
  readonly contract: 'escrow' | 'operators';
  /** Decoded by the ABI, by name; empty for an unknown event. */
  readonly args: Readonly<Record<string, unknown>>;
  /** Undefined for what is not of one lease. */
  readonly leaseId: LeaseId | undefined;
  /** Of its block, unix seconds. */
  readonly timestamp: number;
  readonly raw: RawLog;
}

export interface LeaseChange {
  readonly roster: Roster;
  readonly added: readonly Member[];
  readonly block: bigint;
  readonly timestamp: number;
}

export interface LeaseLogEntry {
  readonly name: string;
  readonly block: bigint;
  readonly transaction: Hex;
  readonly timestamp: number;
}

/** All that the log says of one lease, in one view. */
export interface FollowedLease {
  readonly leaseId: LeaseId;
  /** `unknown`: events of it are there, but not its opening: an endpoint has lost logs. */
  readonly state: 'active' | 'stopping' | 'closed' | 'unknown';
  /** As it was opened. */
  readonly terms: LeaseTerms | undefined;
  /** Unix seconds, the time of the opening's block, as the escrow has it; 0 if unknown. */
  readonly openedAt: number;
  /** Those it was opened with and all that were added, in the escrow's order. */
  readonly members: readonly Member[];
  /** As of the last change; undefined if it was never changed. */
  readonly roster: Roster | undefined;
  /** Cumulative device-seconds paid per member; empty if nothing was paid yet. */
  readonly paidUnits: readonly bigint[];
  /** Base units paid out so far, fee included. */
  readonly charged: bigint;
  /** Unix seconds; undefined until it is stopped. */
  readonly stopAt: number | undefined;
  readonly closed: { readonly charged: bigint; readonly refund: bigint; readonly timestamp: number } | undefined;
  readonly changes: readonly LeaseChange[];
  readonly events: readonly LeaseLogEntry[];
}

/** What a consumer is told: an event is there, or (before anything new) one that it was told of is there no more. */
export interface ChainNotice {
  /** Rises by at least one. */
  readonly sequence: number;
  readonly kind: 'new' | 'reverted';
  readonly event: ChainEvent;
}

export interface Consumer {
  /** What it has seen is remembered under this name. */
  readonly name: string;
  readonly view: View;
  /** Where a name that was never there begins. */
  readonly from: 'start' | 'now';
  /**
   * Called inside the transaction of the follower's store that also remembers what was seen: what it writes to that
   * store happens exactly once. It must not be asynchronous. Where it throws, it is called again later.
   */
  readonly take: (notices: readonly ChainNotice[]) => void;
}

export interface FollowerStatus {
  readonly head: ChainHead | undefined;
  readonly confirmed: ChainHead | undefined;
  /** How far the endpoint's head was away after the last look; undefined before the first. */
  readonly behindBlocks: bigint | undefined;
  /** What went wrong in the last look: CHAIN_UNREACHABLE, CHAIN_DISAGREES, …; undefined if nothing. */
  readonly problem: LatentError | undefined;
}

export interface Follower {
  /**
   * Follows the chain until the signal aborts, and then resolves. What goes wrong is logged, stated in {@link status}, and
   * tried again.
   */
  follow(signal: AbortSignal): Promise<void>;
  /**
   * Goes on from where it stands to the chain's head, and returns.
   * @throws LatentError CHAIN_UNREACHABLE, CHAIN_WRONG, CHAIN_DISAGREES, CANCELLED; what was taken in before stays
   */
  catchUp(signal?: AbortSignal): Promise<FollowerStatus>;
  /** Undefined before anything was seen; `confirmed` as long as nothing is. */
  head(view?: View): ChainHead | undefined;
  status(): FollowerStatus;
  /** Undefined if the view has no event of such a lease. */
  leaseHistory(leaseId: LeaseId, view?: View): FollowedLease | undefined;
  /** Leases that are not closed, the oldest first. Of unknown ones, see {@link FollowedLease.state}, none. */
  openLeases(view?: View): readonly FollowedLease[];
  /** Events of a view in the chain's order, at most `limit` of them after `after`. */
  events(options?: {
    readonly view?: View;
    readonly after?: { readonly block: bigint; readonly logIndex: number };
    readonly limit?: number;
  }): readonly ChainEvent[];
  /** @returns ends it; its name is remembered */
  consume(consumer: Consumer): () => void;
}
