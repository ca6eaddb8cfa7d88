import { ByteQueue } from './byte-queue.ts';

/**
 * What was given to a connection and its peer has not acknowledged: kept, so that it can be sent again on another path.
 * Offsets count the bytes of the connection from its beginning.
 */
export class ResendBuffer {
  readonly #bytes = new ByteQueue();
  #acknowledged = 0;

  /** Offset behind the last byte. */
  get end(): number {
    return this.#acknowledged + this.#bytes.length;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Bytes that were not acknowledged. */
  get unacknowledgedBytes(): number {
    return this.#bytes.length;
  }

  /** Copies the chunk. */
  append(chunk: Uint8Array): void {
    this.#bytes.append(chunk);
  }

  /**
   * The peer has received everything before `offset`. What lies before the offset last acknowledged changes nothing: paths differ in
   * speed, so that an older word may arrive later.
   * @returns false when the offset was never sent
   */
  acknowledge(offset: number): boolean {
    if (offset > this.end) return false;
    if (offset <= this.#acknowledged) return true;
    this.#bytes.drop(offset - this.#acknowledged);
    this.#acknowledged = offset;
    return true;
  }

  /** Views of the bytes from `offset` on, as many as are there, at most `maxBytes`. They are good until the next change. */
  read(offset: number, maxBytes: number): readonly Uint8Array[] {
    return this.#bytes.read(offset - this.#acknowledged, maxBytes);
  }
}
