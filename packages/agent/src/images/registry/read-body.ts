import type { IncomingMessage } from 'node:http';
import { LatentError } from '@latent/protocol';
import { failure } from './open-url.ts';

/** The whole of a short answer. @throws LatentError IMAGE_INVALID (longer than `maxBytes`), IMAGE_UNREACHABLE, CANCELLED */
export async function readBody(
  answer: IncomingMessage,
  options: { readonly url: URL; readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of answer) {
      if (!Buffer.isBuffer(piece)) throw new TypeError('a body is read as bytes');
      bytes += piece.length;
      if (bytes > options.maxBytes) {
        const text = `${options.url.host.slice(0, 200)} sends more than the ${options.maxBytes} bytes that are due.`;
        throw new LatentError('IMAGE_INVALID', text);
      }
      pieces.push(piece);
    }
  } catch (thrown) {
    throw failure(options.url, options.signal, thrown);
  } finally {
    answer.destroy();
  }
  return Buffer.concat(pieces);
}
