import { type ClusterRecord, openRenterTransport } from '@latent/sdk';
import { hexToBytes } from 'viem';
import type { LatentHome } from '../home/latent-home.ts';
import { openRelayStore } from '../home/relay-store.ts';
import { createRelayCounter } from './relay-counter.ts';

/**
 * The transport of a command that speaks to a cluster beside its meter. What books relay for it is counted, as the meter pays for that
 * too, and for no more than was counted.
 */
export function openCountingTransport(
  home: LatentHome,
  { leaseId, peerSeed }: Pick<ClusterRecord, 'leaseId' | 'peerSeed'>,
): ReturnType<typeof openRenterTransport> {
  const relays = openRelayStore(home);
  const counter = createRelayCounter(relays.of(leaseId));
  const transport = openRenterTransport(hexToBytes(peerSeed), { onRelayed: counter.onRelayed });
  return {
    ...transport,
    close: async () => {
      await transport.close();
      counter.close();
      relays.close();
    },
  };
}
