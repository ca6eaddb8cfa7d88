import { LatentError } from '@latent/protocol';
import { MAX_MESSAGE_BYTES } from '../transport.ts';

/** Bytes of the length before each message: big end first. */
export const LENGTH_BYTES = 4;

/** Puts messages together again from the bytes of a stream. Holds one unfinished message at most. */
export class MessageReader {
  readonly #lengthBytes = new Uint8Array(LENGTH_BYTES);
  #lengthBytesSeen = 0;
  #message: Uint8Array | undefined;
  #filled = 0;

  /** A message has begun and is not complete. */
  get isAmidMessage(): boolean {
    return this.#lengthBytesSeen > 0;
  }

  /** @returns the messages that the chunk completes @throws LatentError MESSAGE_TOO_LARGE */
  read(chunk: Uint8Array): readonly Uint8Array[] {
    const messages: Uint8Array[] = [];
    let at = 0;
    while (at < chunk.byteLength) {
      at += this.#message === undefined ? this.#readLength(chunk, at) : this.#readBytes(this.#message, chunk, at);
      if (this.#message === undefined || this.#filled < this.#message.byteLength) continue;
      messages.push(this.#message);
      this.#message = undefined;
      this.#lengthBytesSeen = 0;
    }
    return messages;
  }

  #readLength(chunk: Uint8Array, at: number): number {
    const step = Math.min(LENGTH_BYTES - this.#lengthBytesSeen, chunk.byteLength - at);
    this.#lengthBytes.set(chunk.subarray(at, at + step), this.#lengthBytesSeen);
    this.#lengthBytesSeen += step;
    if (this.#lengthBytesSeen < LENGTH_BYTES) return step;
    const length = new DataView(this.#lengthBytes.buffer).getUint32(0);
    if (length > MAX_MESSAGE_BYTES) {
      const text = `The peer announced a message of ${length} bytes; at most ${MAX_MESSAGE_BYTES} are allowed.`;
      throw new LatentError('MESSAGE_TOO_LARGE', text);
    }
    this.#message = new Uint8Array(length);
    this.#filled = 0;
    return step;
  }

  #readBytes(message: Uint8Array, chunk: Uint8Array, at: number): number {
    const step = Math.min(message.byteLength - this.#filled, chunk.byteLength - at);
    message.set(chunk.subarray(at, at + step), this.#filled);
    this.#filled += step;
    return step;
  }
}

/** A message with its length in front, in fresh bytes. */
export function frameMessage(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(LENGTH_BYTES + message.byteLength);
  new DataView(frame.buffer).setUint32(0, message.byteLength);
  frame.set(message, LENGTH_BYTES);
  return frame;
}
