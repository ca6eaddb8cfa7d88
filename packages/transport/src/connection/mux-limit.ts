import { LatentError } from '@latent/protocol';

const HEADER_BYTES = 12;
const TYPE_AT = 1;
const LENGTH_AT = 8;
const TYPE_DATA = 0;

/**
 * Reads along the headers of what the multiplexer is about to receive. It keeps what a header announces, up to 4 GiB, until it is
 * complete, and looks at windows only then: a frame longer than any window is refused here first.
 */
export class MuxLimit {
  readonly #maxFrameBytes: number;
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerBytes = 0;
  #remainingBytes = 0;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** @throws LatentError MESSAGE_TOO_LARGE */
  check(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.byteLength) {
      if (this.#remainingBytes > 0) {
        const step = Math.min(this.#remainingBytes, chunk.byteLength - at);
        this.#remainingBytes -= step;
        at += step;
        continue;
      }
      const step = Math.min(HEADER_BYTES - this.#headerBytes, chunk.byteLength - at);
      this.#header.set(chunk.subarray(at, at + step), this.#headerBytes);
      this.#headerBytes += step;
      at += step;
      if (this.#headerBytes === HEADER_BYTES) this.#readHeader();
    }
  }

  #readHeader(): void {
    this.#headerBytes = 0;
    if (this.#header[TYPE_AT] !== TYPE_DATA) return;
    const length = new DataView(this.#header.buffer).getUint32(LENGTH_AT);
    if (length > this.#maxFrameBytes) {
      const text = `The peer announced ${length} bytes for one stream; at most ${this.#maxFrameBytes} are allowed.`;
      throw new LatentError('MESSAGE_TOO_LARGE', text);
    }
    this.#remainingBytes = length;
  }
}
