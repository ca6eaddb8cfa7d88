import { LatentError } from '@latent/protocol';

/** Largest frame while the peer is unknown; the real ones are 32 to 96 bytes. */
const MAX_HANDSHAKE_FRAME_BYTES = 256;
const LENGTH_BYTES = 3;

export interface FrameLimits {
  /** Frames that the peer sends before it may send long ones. */
  readonly handshakeFrames: number;
  /** Largest frame after these, in bytes, without its length prefix. */
  readonly maxFrameBytes: number;
}

/**
 * Reads along the length prefixes of what a secret stream is about to receive. The secret stream allocates what a prefix
 * announces, up to 16 MiB and even before it knows the peer: whoever feeds it asks here first.
 */
export class FrameLimit {
  readonly #limits: FrameLimits;
  #frames = 0;
  #lengthBytesSeen = 0;
  #length = 0;
  #remainingBytes = 0;

  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  /** Whether the next frame may be a long one, as the handshake is over. */
  get #limit(): number {
    const { handshakeFrames, maxFrameBytes } = this.#limits;
    return this.#frames < handshakeFrames ? MAX_HANDSHAKE_FRAME_BYTES : maxFrameBytes;
  }

  /** @returns why the chunk must not be taken in; undefined when it may */
  check(chunk: Uint8Array): LatentError | undefined {
    let offset = 0;
    while (offset < chunk.byteLength) {
      if (this.#remainingBytes > 0) {
        const step = Math.min(this.#remainingBytes, chunk.byteLength - offset);
        this.#remainingBytes -= step;
        offset += step;
        continue;
      }
      this.#length += (chunk[offset] ?? 0) * 256 ** this.#lengthBytesSeen;
      this.#lengthBytesSeen += 1;
      offset += 1;
      if (this.#lengthBytesSeen < LENGTH_BYTES) continue;
      if (this.#length === 0) return new LatentError('MESSAGE_INVALID', 'The peer sent an empty frame.');
      if (this.#length > this.#limit) {
        const message = `The peer announced a frame of ${this.#length} bytes; at most ${this.#limit} are allowed.`;
        return new LatentError('MESSAGE_TOO_LARGE', message);
      }
      this.#remainingBytes = this.#length;
      this.#length = 0;
      this.#lengthBytesSeen = 0;
      this.#frames += 1;
    }
    return undefined;
  }
}
