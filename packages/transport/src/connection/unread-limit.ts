/**
 * Bytes that one connection may have here unread, over all its streams: each stream has a window of its own, and a peer may have hundreds
 * of streams.
 */
const MAX_UNREAD_OF_CONNECTION_BYTES = 64 * 1024 * 1024;

/** Adds up what lies unread for a connection. */
export class UnreadLimit {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number = MAX_UNREAD_OF_CONNECTION_BYTES) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What one stream holds now, against what it held before. */
  change(heldBefore: number, heldNow: number): void {
    this.#bytes += heldNow - heldBefore;
  }

  /** The stream that brought it over the limit has to go. */
  get isExceeded(): boolean {
    return this.#bytes > this.#maxBytes;
  }
}
