import { LatentError, MAX_LINK_MESSAGE_BYTES, type PeerLinkMessage, peerLinkMessageSchema } from '@latent/protocol';

/**
 * Parses a text message of a peer.
 * @throws LatentError MESSAGE_TOO_LARGE, MESSAGE_INVALID
 */
export function parseLinkMessage(message: Uint8Array): PeerLinkMessage {
  if (message.byteLength > MAX_LINK_MESSAGE_BYTES) {
    throw new LatentError('MESSAGE_TOO_LARGE', `A message can have ${MAX_LINK_MESSAGE_BYTES} bytes and no more.`);
  }
  const parsed = peerLinkMessageSchema.safeParse(parseJson(message));
  if (parsed.success) return parsed.data;
  throw new LatentError('MESSAGE_INVALID', `Not a message of a peer: ${parsed.error.issues[0]?.message}.`);
}

function parseJson(message: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(message));
  } catch (cause) {
    throw new LatentError('MESSAGE_INVALID', 'The message is not JSON.', { cause });
  }
}
