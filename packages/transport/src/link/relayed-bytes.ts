import { MAX_RELAY_PAYLOAD_BYTES, RELAY_HEADER_BYTES, writeRelayChannel } from '@latent/protocol';
import { Duplex } from 'streamx';

/** Bytes that wait for the link before a writer is held up. */
const HIGH_WATER_MARK_BYTES = 256 * 1024;

export interface RelayedBytesOptions {
  readonly channel: number;
  /** @param sent called when the bytes have left */
  readonly send: (frame: Uint8Array, sent: () => void) => void;
  /** Our side is done with the channel. */
  readonly onClosed: () => void;
}

/** The bytes of one channel of a link, as a stream. What a channel loses is not noticed here but by the encryption above. */
export class RelayedBytes extends Duplex {
  readonly #options: RelayedBytesOptions;
  #isGone = false;

  constructor(options: RelayedBytesOptions) {
    super({ highWaterMark: HIGH_WATER_MARK_BYTES });
    this.#options = options;
  }

  /** Bytes of the peer. */
  receive(bytes: Uint8Array): void {
    if (!this.destroying && !this.#isGone) this.push(bytes);
  }

  /** The channel is closed from the other side, or with the link. */
  gone(reason: Error): void {
    this.#isGone = true;
    this.destroy(reason);
  }

  /** What waited while the link was busy leaves together: a frame for each small piece would cost more than the bytes. */
  protected override _writev(chunks: readonly Uint8Array[], done: () => void): void {
    const frames = toFrames(this.#options.channel, chunks);
    let left = frames.length;
    if (left === 0) done();
    for (const frame of frames) {
      this.#options.send(frame, () => {
        left -= 1;
        if (left === 0) done();
      });
    }
  }

  protected override _predestroy(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#options.onClosed();
  }
}

/** As few frames as hold the bytes, which are copied. */
function toFrames(channel: number, chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  const frames: Uint8Array[] = [];
  let left = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  let frame = new Uint8Array();
  let filled = 0;
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.byteLength; ) {
      if (filled === frame.byteLength) {
        frame = new Uint8Array(RELAY_HEADER_BYTES + Math.min(left, MAX_RELAY_PAYLOAD_BYTES));
        writeRelayChannel(frame, channel);
        filled = RELAY_HEADER_BYTES;
        frames.push(frame);
      }
      const part = chunk.subarray(at, at + frame.byteLength - filled);
      frame.set(part, filled);
      filled += part.byteLength;
      at += part.byteLength;
      left -= part.byteLength;
    }
  }
  return frames;
}
