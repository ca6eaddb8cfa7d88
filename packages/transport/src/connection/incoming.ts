import { LatentError } from '@latent/protocol';
import { after } from '../timers.ts';

const ACK_EVERY_BYTES = 256 * 1024;
const ACK_DELAY_MS = 50;

/** Counts the bytes of a connection that have arrived, over all its paths, and sees to it that the peer is told. */
export class Incoming {
  readonly #tell: () => void;
  #received = 0;
  #told = 0;
  #stopTimer: (() => void) | undefined;

  /** @param tell time to acknowledge; may be put off, as long as {@link mustTell} */
  constructor(tell: () => void) {
    this.#tell = tell;
  }

  /** Bytes received so far. */
  get received(): number {
    return this.#received;
  }

  get mustTell(): boolean {
    return this.#told !== this.#received;
  }

  /**
   * Lets in each byte once: on a new path some come again.
   * @param offset of the first byte
   * @returns those that are new
   * @throws LatentError MESSAGE_INVALID when bytes before them are missing
   */
  take(bytes: Uint8Array, offset: number): Uint8Array {
    if (offset > this.#received) throw new LatentError('MESSAGE_INVALID', 'The peer left out bytes of the connection.');
    const fresh = bytes.subarray(this.#received - offset);
    this.#received += fresh.byteLength;
    return fresh;
  }

  /** After {@link take}. Also for what was here before: the peer sends again what it does not know to have arrived. */
  scheduleTelling(): void {
    if (this.#received - this.#told >= ACK_EVERY_BYTES) this.#tell();
    else if (this.mustTell) this.#stopTimer ??= after(ACK_DELAY_MS, this.#tell);
  }

  /** The peer is being told. */
  told(received: number): void {
    this.stop();
    this.#told = received;
  }

  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }
}
