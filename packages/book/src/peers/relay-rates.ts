import type { Clock } from '@latent/kit';
import type { PeerKey } from '@latent/protocol';
import { TokenBucket } from '../intake/token-bucket.ts';
import type { BookOptions } from '../options.ts';
import type { Caller } from '../sockets/caller.ts';

/** A second's worth is divided by this: who is above its rate is held back for some 25 ms at a time. */
const BURSTS_PER_SECOND = 20;

/** How fast one link may send what is relayed. It shares this with all links of its key, and of its place. */
export interface RelayRate {
  /** Counts a frame that was received. */
  spend(bytes: number): void;
  /** How long nothing is to be read from the link, in ms; 0 if it is within its rate. */
  msToWait(): number;
  /** The link has ended. */
  release(): void;
}

export interface RelayRates {
  open(key: PeerKey, caller: Caller): RelayRate;
}

type Limits = Pick<BookOptions, 'relayBytesPerSecond' | 'relayBytesPerSecondPerAddress'>;

export function createRelayRates(limits: Limits, clock: Clock): RelayRates {
  const byKey = shareBuckets(limits.relayBytesPerSecond, clock);
  const byPlace = shareBuckets(limits.relayBytesPerSecondPerAddress, clock);
  return {
    open: (key, { place }) => {
      const shared = [byKey.open(key), byPlace.open(place)];
      return {
        spend: (bytes) => {
          for (const { bucket } of shared) bucket.spend(bytes);
        },
        msToWait: () => Math.max(...shared.map(({ bucket }) => bucket.msInDebt())),
        release: () => {
          for (const { release } of shared) release();
        },
      };
    },
  };
}

/** Buckets that last as long as somebody has them open. */
function shareBuckets(perSecond: number, clock: Clock) {
  const buckets = new Map<string, { bucket: TokenBucket; users: number }>();
  return {
    open: (name: string) => {
      const shared = buckets.get(name) ?? {
        bucket: new TokenBucket({ capacity: perSecond / BURSTS_PER_SECOND, perSecond }, clock),
        users: 0,
      };
      buckets.set(name, shared);
      shared.users += 1;
      const release = () => {
        shared.users -= 1;
        if (shared.users === 0) buckets.delete(name);
      };
      return { bucket: shared.bucket, release };
    },
  };
}
