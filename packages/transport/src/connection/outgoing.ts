import { LatentError } from '@latent/protocol';
import { ResendBuffer } from './resend-buffer.ts';
import { PIECE_BYTES } from './stream-writer.ts';

/**
 * Bytes that may be on the way unacknowledged: what 20 MB/s need at 150 ms, where all that follow a lost packet wait for it for one more
 * round trip or two. Less than the 8 MiB that a book keeps for a channel.
 */
export const MAX_UNACKNOWLEDGED_BYTES = 6 * 1024 * 1024;
/** Bytes that wait here for the path, beside what the path itself holds: little, so that a small message need not wait long. */
const MAX_UNSENT_BYTES = 128 * 1024;
/** What may be kept beside the above, and beside the piece that each stream may hold back for want of a window. */
const SLACK_BYTES = 4 * 1024 * 1024;

/** The bytes that a connection has for its peer, over all its paths: what is sent next, and what is kept to be sent again. */
export class Outgoing {
  readonly #buffer = new ResendBuffer();
  readonly #maxHeldBytes: number;
  #sentTo = 0;
  /** The most that was ever sent: what comes after, no peer can have received. */
  #everSentTo = 0;

  /** @param maxStreams as many as there may be that send */
  constructor(maxStreams: number) {
    this.#maxHeldBytes = MAX_UNACKNOWLEDGED_BYTES + maxStreams * PIECE_BYTES + SLACK_BYTES;
  }

  /** Bytes that are kept, as the peer has not acknowledged them. */
  get heldBytes(): number {
    return this.#buffer.unacknowledgedBytes;
  }

  /** Whether streams may hand over more. */
  get hasRoom(): boolean {
    return this.heldBytes < MAX_UNACKNOWLEDGED_BYTES && this.#buffer.end - this.#sentTo < MAX_UNSENT_BYTES;
  }

  /**
   * A peer can make us send without having received anything: by windows that it grants, pings that we answer, streams that we refuse.
   * One that is in order never gets so far.
   */
  get isOverfull(): boolean {
    return this.heldBytes > this.#maxHeldBytes;
  }

  get isAllSent(): boolean {
    return this.#sentTo === this.#buffer.end;
  }

  append(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.#buffer.append(chunk);
  }

  /** The next bytes for the path, at most `maxBytes`. They count as sent from then on. */
  next(maxBytes: number): readonly Uint8Array[] {
    const parts = this.#buffer.read(this.#sentTo, maxBytes);
    this.#sentTo += parts.reduce((sum, part) => sum + part.byteLength, 0);
    this.#everSentTo = Math.max(this.#everSentTo, this.#sentTo);
    return parts;
  }

  /** @throws LatentError MESSAGE_INVALID when the peer cannot have received that */
  acknowledge(received: number): void {
    this.#expectSent(received);
    this.#buffer.acknowledge(received);
  }

  /**
   * From where we send on a path whose peer says that it has received so far. It may have acknowledged more on another path since it said
   * so: what it acknowledged is not kept, and not sent again.
   * @throws LatentError MESSAGE_INVALID when the peer cannot have received that
   */
  resumeFrom(peerReceived: number): number {
    this.#expectSent(peerReceived);
    return Math.max(peerReceived, this.#buffer.acknowledged);
  }

  /** Sends from there on, on another path. @param from what {@link resumeFrom} said */
  restart(from: number): void {
    this.#buffer.acknowledge(from);
    this.#sentTo = from;
  }

  #expectSent(received: number): void {
    if (received <= this.#everSentTo) return;
    throw new LatentError('MESSAGE_INVALID', 'The peer says that it received what was never sent.');
  }
}
