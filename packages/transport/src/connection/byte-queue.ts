const BLOCK_BYTES = 16 * 1024;
/** Blocks that are kept for the next use, of all queues together: 8 MiB. */
const MAX_FREE_BLOCKS = 512;

/**
 * Blocks that nobody uses. At 100 MB/s fresh ones would have the garbage collector go through the whole heap several times a second, as
 * it counts what lies outside of it too; and an idle connection is to hold none.
 */
const freeBlocks: Uint8Array[] = [];

/** Bytes in order, copied when they come, in whatever pieces: the bookkeeping of many small ones would cost many times their bytes. */
export class ByteQueue {
  readonly #blocks: Uint8Array[] = [];
  /** Where in the first block the first byte is. */
  #start = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.byteLength) {
      const end = this.#start + this.#length;
      const filled = end % BLOCK_BYTES;
      let block = this.#blocks[(end - filled) / BLOCK_BYTES];
      if (block === undefined) {
        block = freeBlocks.pop() ?? new Uint8Array(BLOCK_BYTES);
        this.#blocks.push(block);
      }
      const step = Math.min(BLOCK_BYTES - filled, bytes.byteLength - at);
      block.set(step === bytes.byteLength ? bytes : bytes.subarray(at, at + step), filled);
      this.#length += step;
      at += step;
    }
  }

  /** Views of the bytes from `from` on, as many as are there, at most `maxBytes`. They are good until the next change. */
  read(from: number, maxBytes: number): readonly Uint8Array[] {
    const views: Uint8Array[] = [];
    let at = this.#start + from;
    const end = Math.min(at + maxBytes, this.#start + this.#length);
    while (at < end) {
      const offset = at % BLOCK_BYTES;
      const view = this.#blocks[(at - offset) / BLOCK_BYTES]?.subarray(offset, offset + end - at);
      if (view === undefined) break;
      views.push(view);
      at += view.byteLength;
    }
    return views;
  }

  /** Forgets the first bytes. @param count at most `length` */
  drop(count: number): void {
    this.#start += count;
    this.#length -= count;
    const done = this.#length === 0 ? this.#blocks.length : Math.floor(this.#start / BLOCK_BYTES);
    if (this.#length === 0) this.#start = 0;
    else this.#start -= done * BLOCK_BYTES;
    if (done === 0) return;
    for (const block of this.#blocks.splice(0, done)) {
      if (freeBlocks.length < MAX_FREE_BLOCKS) freeBlocks.push(block);
    }
  }
}
