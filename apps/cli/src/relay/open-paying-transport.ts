import { randomBytes } from 'node:crypto';
import { systemClock } from '@latent/kit';
import {
  type ChainClient,
  type ClusterJournal,
  type ClusterRecord,
  createRelayDesk,
  openRenterTransport,
} from '@latent/sdk';
import { hexToBytes, type LocalAccount } from 'viem';
import type { LatentHome } from '../home/latent-home.ts';
import { openRelayStore } from '../home/relay-store.ts';
import { createRelayCounter } from './relay-counter.ts';

export interface PayingFor {
  readonly record: ClusterRecord;
  readonly journal: Pick<ClusterJournal, 'tell'>;
  readonly chain: ChainClient;
  /** Pays deposits and gas. */
  readonly account: LocalAccount;
  readonly signal: AbortSignal;
}

/** The transport of a cluster's meter, which pays books for what they relay beyond what is free, as far as the renter allowed it. */
export function openPayingTransport(home: LatentHome, { record, journal, chain, account, signal }: PayingFor) {
  const relays = openRelayStore(home);
  const relay = relays.of(record.leaseId);
  const counter = createRelayCounter(relay);
  const desk = createRelayDesk({
    ...{ chain, account, signal, clock: systemClock, randomBytes, order: record.terms.order },
    journal: {
      ...relay,
      counted: (book) => {
        counter.write();
        return relay.counted(book);
      },
      tell: (event) => journal.tell(record.name, event),
    },
  });
  const transport = openRenterTransport(hexToBytes(record.peerSeed), {
    onWord: desk.onWord,
    onRelayed: counter.onRelayed,
  });
  desk.start(transport);
  return {
    transport,
    /** The cluster is over: leases with books are closed. */
    settle: () => desk.end(),
    close: async () => {
      desk.stop();
      await transport.close();
      counter.close();
      relays.close();
    },
  };
}
