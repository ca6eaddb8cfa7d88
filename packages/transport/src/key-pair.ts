import NoiseSecretStream from '@hyperswarm/secret-stream';
import { LatentError, type PeerKey, peerKeySchema } from '@latent/protocol';
import sodium from 'sodium-universal';
import { hexOfBytes } from './hex.ts';

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
  const pair = NoiseSecretStream.keyPair(Uint8Array.from(seed));
  return { key: toPeerKey(pair.publicKey), secretKey: Uint8Array.from(pair.secretKey) };
}

const SIGNATURE_BYTES = 64;

/** Signs a text with the pair's secret. @returns 64 bytes of Ed25519 (RFC 8032) */
export function sign(keyPair: KeyPair, text: string): Uint8Array {
  const signature = new Uint8Array(SIGNATURE_BYTES);
  sodium.crypto_sign_detached(signature, new TextEncoder().encode(text), keyPair.secretKey);
  return signature;
}

/** Random bytes from the system's secure source, in Node and browsers alike. */
export function randomBytes(count: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(count));
}

/** The branded form of a 32-byte public key. */
export function toPeerKey(publicKey: Uint8Array): PeerKey {
  return peerKeySchema.parse(`0x${hexOfBytes(publicKey)}`);
}
