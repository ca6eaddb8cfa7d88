import type { Order, PeerKey } from '@latent/protocol';
import type { PayingTransport } from '@latent/transport';
import type { LocalAccount } from 'viem';
import type { ChainClient } from '../chain/connect-chain.ts';
import type { Clock } from '../clusters/cluster-context.ts';
import type { RelayJournal } from './relay-lease.ts';

/** What paying books for relaying works with. */
export interface RelayDeskContext {
  readonly chain: ChainClient;
  readonly journal: RelayJournal;
  /** Pays deposits and gas: the renter, or the session key. */
  readonly account: LocalAccount;
  /** Whose leases these are: as in the cluster's order. */
  readonly order: Pick<Order, 'renter' | 'session'>;
  readonly clock: Clock;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly signal: AbortSignal;
}

/** The transport whose channels are paid for. */
export interface PaidTransport extends Pick<PayingTransport, 'payBook'> {
  readonly key: PeerKey;
}
