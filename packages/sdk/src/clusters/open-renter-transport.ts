import { createTcpTransport, createKeyPair, type Transport } from '@latent/transport';

/** A member that says nothing for so long is gone; agents send heartbeats far more often. */
const IDLE_TIMEOUT_MS = 30_000;

/** The transport of one cluster's renter. A key of its own for each cluster: agents cannot tell that two have one renter by it. */
export function openRenterTransport(seed: Uint8Array): Transport {
  return createTcpTransport({
    keyPair: createKeyPair(seed),
    handshakeTimeoutMs: 5_000,
    idleTimeoutMs: IDLE_TIMEOUT_MS,
  });
}
