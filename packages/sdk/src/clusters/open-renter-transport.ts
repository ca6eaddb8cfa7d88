import { createKeyPair, createTransport, type Transport } from '@latent/transport';

const HANDSHAKE_TIMEOUT_MS = 5_000;

/** The transport of one cluster's renter. A key of its own for each cluster: agents cannot tell that two have one renter by it. */
export function openRenterTransport(seed: Uint8Array): Transport {
  return createTransport({ keyPair: createKeyPair(seed), handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS });
}
