import { LatentError } from '@latent/protocol';
import type { MethodChannel } from '@latent/transport';

/** The bytes that a caller sends until it ends. @throws LatentError MESSAGE_INVALID on anything else */
export async function* bytesOf(channel: MethodChannel): AsyncGenerator<Uint8Array, void, void> {
  for await (const message of channel.messages()) {
    if (message.kind !== 'bytes') throw new LatentError('MESSAGE_INVALID', 'Bytes were expected here.');
    yield message.bytes;
  }
}
