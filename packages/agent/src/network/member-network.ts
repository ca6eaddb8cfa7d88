import type { Clock, Logger } from '@latent/kit';
import type { LeaseId } from '@latent/protocol';
import type { EncryptedStream } from '@latent/transport';

/** Who is in the network, as this member sees it. */
export interface MemberNetworkPlan {
  readonly leaseId: LeaseId;
  readonly rank: number;
  /** IPv4 address of this member. */
  readonly address: string;
  readonly prefixLength: number;
  readonly others: readonly { readonly rank: number; readonly address: string }[];
}

export interface MemberNetworkOptions {
  /** Folder of this network alone, where the next life of the agent finds what this one made. Created where it is missing. */
  readonly stateDir: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Aborts when the agent ends: streams are dropped, the namespace stays for its next life. */
  readonly signal: AbortSignal;
  /** Opens a stream to another rank. Called again, ever less often, for as long as there is none. */
  readonly openStream: (rank: number) => Promise<EncryptedStream>;
}

/** How another rank is reached at present. */
export interface NetworkLink {
  readonly rank: number;
  /** Undefined while there is none, and packets for it are lost. */
  readonly stream: EncryptedStream | undefined;
  /** Bytes of packets, since this life of the agent began. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Packets for it that were lost here, as there was no stream or no room. */
  readonly droppedPackets: number;
}

/** One member's end of the private network of its lease: a network namespace that has `lo` and `latent0` in it, both up. */
export interface MemberNetwork {
  /** File that stands for the namespace, as `nsenter --net=…` takes it. The same for as long as the network lasts. */
  readonly namespacePath: string;
  links(): readonly NetworkLink[];
  /** Takes a stream over that another rank opened; the caller has checked that its key is the one of that rank. */
  accept(rank: number, stream: EncryptedStream): void;
  /** Drops the streams and removes the namespace. What still runs in it keeps an empty one. Never throws. */
  close(): Promise<void>;
}

/** Whether this machine can have private networks. */
export type NetworkProbe =
  | { readonly usable: true }
  | { readonly usable: false; readonly reason: string; readonly remedy: string };
