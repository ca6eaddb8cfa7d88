import { LatentError } from '@latent/protocol';
import { MAX_MESSAGE_BYTES } from '../transport.ts';
import { ByteQueue } from './byte-queue.ts';

/** Bytes of the length before each message: big end first. */
export const LENGTH_BYTES = 4;

/**
 * Puts messages together again from the bytes of a stream. Holds what nobody has taken yet, and little more: messages are taken apart only
 * when somebody reads them, as the bookkeeping of many small ones would cost many times their bytes.
 */
export class MessageReader {
  readonly #bytes = new ByteQueue();
  /** Of the first message, once its length is there. */
  #length: number | undefined;

  /** Bytes that were not taken, with the lengths before them. */
  get heldBytes(): number {
    return this.#bytes.length;
  }

  /** Whether a complete message is there. */
  get hasMessage(): boolean {
    return this.#length !== undefined && this.#bytes.length >= LENGTH_BYTES + this.#length;
  }

  /** Copies what arrived. @throws LatentError MESSAGE_TOO_LARGE (as announced by the first message that was not taken) */
  add(chunk: Uint8Array): void {
    this.#bytes.append(chunk);
    this.#readLength();
    this.#expectAllowed();
  }

  /** The next message, if it is complete. @throws LatentError MESSAGE_TOO_LARGE */
  take(): Uint8Array | undefined {
    this.#expectAllowed();
    if (this.#length === undefined || !this.hasMessage) return undefined;
    const message = new Uint8Array(this.#length);
    let at = 0;
    for (const view of this.#bytes.read(LENGTH_BYTES, this.#length)) {
      message.set(view, at);
      at += view.byteLength;
    }
    this.#bytes.drop(LENGTH_BYTES + this.#length);
    this.#length = undefined;
    this.#readLength();
    return message;
  }

  #readLength(): void {
    if (this.#length !== undefined || this.#bytes.length < LENGTH_BYTES) return;
    this.#length = 0;
    for (const view of this.#bytes.read(0, LENGTH_BYTES)) {
      for (const byte of view) this.#length = this.#length * 256 + byte;
    }
  }

  #expectAllowed(): void {
    if (this.#length === undefined || this.#length <= MAX_MESSAGE_BYTES) return;
    const text = `The peer announced a message of ${this.#length} bytes; at most ${MAX_MESSAGE_BYTES} are allowed.`;
    throw new LatentError('MESSAGE_TOO_LARGE', text);
  }
}

/** The length before a message. */
export function encodeLength(message: Uint8Array): Uint8Array {
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, message.byteLength);
  return length;
}
