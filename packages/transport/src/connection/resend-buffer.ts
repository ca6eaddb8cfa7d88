/** Smaller chunks are copied together, as the bookkeeping of each would cost more than its bytes. */
const SMALL_BYTES = 1024;
const BLOCK_BYTES = 16 * 1024;

/**
 * What was given to a connection and its peer has not acknowledged: kept, so that it can be sent again on another path.
 * Offsets count the bytes of the connection from its beginning.
 */
export class ResendBuffer {
  #chunks: Uint8Array[] = [];
  /** Offset of the first chunk's first byte; at most #acknowledged. */
  #start = 0;
  #acknowledged = 0;
  #end = 0;
  /** Where small chunks are copied to, and how far it is filled. */
  #block = new Uint8Array();
  #filled = 0;

  /** Offset behind the last byte. */
  get end(): number {
    return this.#end;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Bytes that were not acknowledged. */
  get unacknowledgedBytes(): number {
    return this.#end - this.#acknowledged;
  }

  /** May keep the chunk itself: nobody may write to it from now on. */
  append(chunk: Uint8Array): void {
    if (chunk.byteLength === 0) return;
    this.#end += chunk.byteLength;
    if (chunk.byteLength > SMALL_BYTES) this.#chunks.push(chunk);
    else this.#appendSmall(chunk);
  }

  #appendSmall(chunk: Uint8Array): void {
    if (this.#filled + chunk.byteLength > this.#block.byteLength) {
      this.#block = new Uint8Array(BLOCK_BYTES);
      this.#filled = 0;
    }
    const last = this.#chunks.at(-1);
    const isBehind = last?.buffer === this.#block.buffer && last.byteOffset + last.byteLength === this.#filled;
    const start = isBehind ? last.byteOffset : this.#filled;
    this.#block.set(chunk, this.#filled);
    this.#filled += chunk.byteLength;
    const view = this.#block.subarray(start, this.#filled);
    if (isBehind) this.#chunks[this.#chunks.length - 1] = view;
    else this.#chunks.push(view);
  }

  /**
   * The peer has received everything before `offset`. What lies before the offset last acknowledged changes nothing: paths differ in
   * speed, so that an older word may arrive later.
   * @returns false when the offset was never sent
   */
  acknowledge(offset: number): boolean {
    if (offset > this.#end) return false;
    this.#acknowledged = Math.max(this.#acknowledged, offset);
    let done = 0;
    for (const chunk of this.#chunks) {
      if (this.#start + chunk.byteLength > this.#acknowledged) break;
      this.#start += chunk.byteLength;
      done += 1;
    }
    if (done > 0) this.#chunks.splice(0, done);
    return true;
  }

  /** Views of the bytes from `offset` on, as many as are there, at most `maxBytes`. */
  read(offset: number, maxBytes: number): readonly Uint8Array[] {
    const views: Uint8Array[] = [];
    let left = maxBytes;
    let chunkStart = this.#start;
    for (const chunk of this.#chunks) {
      if (left === 0) break;
      const from = Math.max(0, offset - chunkStart);
      if (from < chunk.byteLength) {
        const view = chunk.subarray(from, from + left);
        views.push(view);
        left -= view.byteLength;
      }
      chunkStart += chunk.byteLength;
    }
    return views;
  }
}
