import { LatentError } from '@latent/protocol';

/**
 * Reads a body of at most `maxBytes`; what the endpoint claims of its length is not believed.
 * @throws LatentError MESSAGE_TOO_LARGE
 */
export async function readBounded(response: Response, endpoint: string, maxBytes: number): Promise<string> {
  if (response.body === null) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) {
      throw new LatentError(
        'MESSAGE_TOO_LARGE',
        `The answer of endpoint ${endpoint} is longer than ${maxBytes} bytes.`,
        {
          details: { endpoint, maxBytes },
        },
      );
    }
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}
