import { type ClusterRecord, openRenterTransport } from '@latent/sdk';
import { hexToBytes } from 'viem';
import type { LatentHome } from '../home/latent-home.ts';
import { openRelayStore } from '../home/relay-store.ts';
import { createRelayCounter } from './relay-counter.ts';

/**
 * The transport of a command that speaks to a cluster beside its meter. What books relay for it is counted, as the meter pays for that
 * too, and for no more than was counted; that a book carries no more is noted, as only the meter pays.
 */
export function openCountingTransport(
  home: LatentHome,
  { leaseId, peerSeed }: Pick<ClusterRecord, 'leaseId' | 'peerSeed'>,
): ReturnType<typeof openRenterTransport> {
  const relays = openRelayStore(home);
  const relay = relays.of(leaseId);
  const counter = createRelayCounter(relay);
  const transport = openRenterTransport(hexToBytes(peerSeed), {
    onRelayed: counter.onRelayed,
    onWord: (book, { kind }) => {
      if (kind === 'allowance') relay.note({ book, kind: 'low' });
      if (kind === 'cut') relay.note({ book, kind: 'cut' });
    },
  });
  return {
    ...transport,
    close: async () => {
      await transport.close();
      counter.close();
      relays.close();
    },
  };
}
