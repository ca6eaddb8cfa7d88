import { encodeRelayFrame, MAX_RELAY_PAYLOAD_BYTES } from '@latent/protocol';
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

  protected override _write(data: Uint8Array, done: () => void): void {
    let left = Math.ceil(data.byteLength / MAX_RELAY_PAYLOAD_BYTES);
    if (left === 0) done();
    for (let at = 0; at < data.byteLength; at += MAX_RELAY_PAYLOAD_BYTES) {
      const frame = encodeRelayFrame(this.#options.channel, data.subarray(at, at + MAX_RELAY_PAYLOAD_BYTES));
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
