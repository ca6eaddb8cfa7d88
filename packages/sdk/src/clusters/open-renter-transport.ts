import { createKeyPair, createTransport, type PayingTransport, type RelayPayer } from '@latent/transport';

const HANDSHAKE_TIMEOUT_MS = 5_000;

/**
 * The transport of one cluster's renter. A key of its own for each cluster: agents cannot tell that two have one renter by it.
 * @param payer pays for what books relay beyond what is free, or counts it; nobody does unless given
 */
export function openRenterTransport(seed: Uint8Array, payer?: RelayPayer): PayingTransport {
  return createTransport({ keyPair: createKeyPair(seed), handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS, payer });
}
