import { LatentError } from '@latent/protocol';
import { MAX_MESSAGE_BYTES } from '../transport.ts';

/** Bytes of the length before each message: big end first. */
const LENGTH_BYTES = 4;
/**
 * What arrives is gathered in blocks of this size. A peer may send it in any pieces, whose bookkeeping would cost many times their bytes;
 * so would the messages themselves, which is why they are taken apart only when somebody reads them.
 */
const BLOCK_BYTES = 16 * 1024;

/** Puts messages together again from the bytes of a stream. Holds what nobody has taken yet, and little more. */
export class MessageReader {
  readonly #blocks: Uint8Array[] = [];
  /** Where in the first block the first byte is, and how far the last one is filled. */
  #start = 0;
  #filled = BLOCK_BYTES;
  #heldBytes = 0;
  /** Of the first message, once its length is there. */
  #length: number | undefined;

  /** Bytes that were not taken, with the lengths before them. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether a complete message is there. */
  get hasMessage(): boolean {
    return this.#length !== undefined && this.#heldBytes >= LENGTH_BYTES + this.#length;
  }

  /** Copies what arrived. @throws LatentError MESSAGE_TOO_LARGE (as announced by the first message that was not taken) */
  add(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.byteLength) {
      let block = this.#blocks.at(-1);
      if (block === undefined || this.#filled === BLOCK_BYTES) {
        block = new Uint8Array(BLOCK_BYTES);
        this.#blocks.push(block);
        this.#filled = 0;
      }
      const part = chunk.subarray(at, at + BLOCK_BYTES - this.#filled);
      block.set(part, this.#filled);
      this.#filled += part.byteLength;
      at += part.byteLength;
    }
    this.#heldBytes += chunk.byteLength;
    this.#readLength();
    this.#expectAllowed();
  }

  /** The next message, if it is complete. @throws LatentError MESSAGE_TOO_LARGE */
  take(): Uint8Array | undefined {
    this.#expectAllowed();
    if (this.#length === undefined || !this.hasMessage) return undefined;
    this.#skip(LENGTH_BYTES);
    const message = new Uint8Array(this.#length);
    this.#copyTo(message);
    this.#skip(message.byteLength);
    this.#length = undefined;
    this.#readLength();
    return message;
  }

  #readLength(): void {
    if (this.#length !== undefined || this.#heldBytes < LENGTH_BYTES) return;
    const bytes = new Uint8Array(LENGTH_BYTES);
    this.#copyTo(bytes);
    this.#length = new DataView(bytes.buffer).getUint32(0);
  }

  #expectAllowed(): void {
    if (this.#length === undefined || this.#length <= MAX_MESSAGE_BYTES) return;
    const text = `The peer announced a message of ${this.#length} bytes; at most ${MAX_MESSAGE_BYTES} are allowed.`;
    throw new LatentError('MESSAGE_TOO_LARGE', text);
  }

  /** Fills `target` from the first byte held; as many are there. */
  #copyTo(target: Uint8Array): void {
    let start = this.#start;
    let at = 0;
    for (const block of this.#blocks) {
      if (at === target.byteLength) return;
      const part = block.subarray(start, start + target.byteLength - at);
      target.set(part, at);
      at += part.byteLength;
      start = 0;
    }
  }

  #skip(bytes: number): void {
    this.#heldBytes -= bytes;
    this.#start += bytes;
    const done = Math.floor(this.#start / BLOCK_BYTES);
    if (done > 0) this.#blocks.splice(0, done);
    this.#start -= done * BLOCK_BYTES;
    if (this.#heldBytes > 0) return;
    this.#start = 0;
    this.#filled = this.#blocks.length > 0 ? 0 : BLOCK_BYTES;
  }
}

/** A message with its length in front, in fresh bytes. */
export function frameMessage(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(LENGTH_BYTES + message.byteLength);
  new DataView(frame.buffer).setUint32(0, message.byteLength);
  frame.set(message, LENGTH_BYTES);
  return frame;
}
