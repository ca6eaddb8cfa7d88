import { createPublicKey, verify } from 'node:crypto';
import { LatentError, linkHelloText, type PeerLinkMessage } from '@latent/protocol';

export type Hello = Extract<PeerLinkMessage, { kind: 'hello' }>;

/** What comes before the 32 bytes of an Ed25519 key in its DER form (RFC 8410). */
const DER_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * Holds that the key of a hello has signed this link's challenge for this book.
 * @param urls under which the peer may have dialled the book; only their origins count
 * @throws LatentError NOT_ALLOWED
 */
export function checkHello(
  { key, signature }: Hello,
  { challenge, urls }: { readonly challenge: string; readonly urls: readonly string[] },
): void {
  const publicKey = createPublicKey({
    key: Buffer.concat([DER_PREFIX, Buffer.from(key.slice(2), 'hex')]),
    format: 'der',
    type: 'spki',
  });
  const bytes = Buffer.from(signature.slice(2), 'hex');
  const origins = [...new Set(urls.map((url) => new URL(url).origin))];
  const isOurs = origins.some((origin) =>
    verify(null, Buffer.from(linkHelloText(origin, challenge, key)), publicKey, bytes),
  );
  if (isOurs) return;
  throw new LatentError('NOT_ALLOWED', `The challenge is not signed by peer ${key} for this book.`, {
    hint: `It may have been signed for a URL that is none of ${origins.join(', ')}.`,
  });
}
