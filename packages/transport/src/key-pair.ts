import NoiseSecretStream from '@hyperswarm/secret-stream';
import { LatentError, type PeerKey, peerKeySchema } from '@latent/protocol';

/** Bytes of the secret that a key pair is made from. */
export const KEY_SEED_BYTES = 32;

/** The ed25519 pair that a transport proves itself with. */
export interface KeyPair {
  /** The public half, as it stands in asks. */
  readonly key: PeerKey;
  /** Keep it out of logs and replies. */
  readonly secretKey: Uint8Array;
}

/**
 * Derives the key pair of a secret: the same seed gives the same pair.
 * @param seed 32 bytes from a secure random source
 * @throws LatentError CONFIG_INVALID when the seed has another length
 */
export function createKeyPair(seed: Uint8Array): KeyPair {
  if (seed.byteLength !== KEY_SEED_BYTES) {
    throw new LatentError('CONFIG_INVALID', `A key seed has ${KEY_SEED_BYTES} bytes, not ${seed.byteLength}.`);
  }
  const pair = NoiseSecretStream.keyPair(Buffer.from(seed));
  return { key: toPeerKey(pair.publicKey), secretKey: Uint8Array.from(pair.secretKey) };
}

/** The branded form of a 32-byte public key. */
export function toPeerKey(publicKey: Uint8Array): PeerKey {
  return peerKeySchema.parse(`0x${Buffer.from(publicKey).toString('hex')}`);
}
