import { LatentError } from '@latent/protocol';

/** A piece of what a command wrote. */
export interface Frame {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

const headerBytes = 8;

/**
 * Takes apart what an engine sends of a command without a terminal: before each piece its stream and its length (Docker Engine API,
 * "Stream format"). A piece is passed on as it comes and never gathered, however long it says it is.
 * @throws LatentError DRIVER_FAILED for anything else
 */
export async function* readFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  let header = Buffer.alloc(0);
  let left = 0;
  let stream: Frame['stream'] = 'stdout';
  for await (const chunk of source) {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    while (rest.length > 0) {
      if (left > 0) {
        const bytes = rest.subarray(0, left);
        left -= bytes.length;
        rest = rest.subarray(bytes.length);
        yield { stream, bytes };
        continue;
      }
      const missing = headerBytes - header.length;
      header = Buffer.concat([header, rest.subarray(0, missing)]);
      rest = rest.subarray(missing);
      if (header.length < headerBytes) continue;
      stream = streamOf(header);
      left = header.readUInt32BE(4);
      header = Buffer.alloc(0);
    }
  }
  if (left > 0 || header.length > 0) {
    throw new LatentError('DRIVER_FAILED', 'The container engine broke off in the middle of a command’s output.', {
      hint: 'See the engine’s own log: it may have been restarted.',
    });
  }
}

function streamOf(header: Buffer): Frame['stream'] {
  const kind = header.readUInt32BE(0) === header.readUInt8(0) * 2 ** 24 ? header.readUInt8(0) : -1;
  if (kind === 1) return 'stdout';
  if (kind === 2) return 'stderr';
  throw new LatentError(
    'DRIVER_FAILED',
    'The container engine sent a command’s output in a form that is not Docker’s.',
  );
}
