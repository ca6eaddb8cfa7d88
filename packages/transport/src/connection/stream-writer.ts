import type { LatentError } from '@latent/protocol';
import { Uint8ArrayList } from 'uint8arraylist';
import { encodeLength, LENGTH_BYTES } from './message-reader.ts';
import type { MuxStream } from './mux.ts';

/**
 * A stream sends so much in its turn: a message on a path with all that belongs to it, and little enough that others need not wait long. More than 64 KiB, which many take for a
 * piece of their own.
 * What a stream without window keeps back.
 */
export const PIECE_BYTES = 65 * 1024;

export interface StreamWriterOptions {
  /** Calls `send` in this stream's turn. */
  readonly takeTurn: (send: () => void) => void;
}

interface Unsent {
  readonly message: Uint8Array;
  /** Bytes of it that were passed on; undefined: not even its length was. */
  at: number | undefined;
  readonly passed: PromiseWithResolvers<void>;
}

/** Passes the messages of a stream on, piece by piece: each in the stream's turn, and when the peer's window has taken the one before. */
export class StreamWriter {
  readonly #stream: MuxStream;
  readonly #takeTurn: StreamWriterOptions['takeTurn'];
  readonly #unsent: Unsent[] = [];
  #state: 'idle' | 'waiting for its turn' | 'waiting for the window' = 'idle';
  #failure: LatentError | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(stream: MuxStream, { takeTurn }: StreamWriterOptions) {
    this.#stream = stream;
    this.#takeTurn = takeTurn;
    // The multiplexer's own `onDrain` resolves at once after the first time. And what is sent amid its `idle` stays where it is.
    stream.addEventListener('idle', () => queueMicrotask(() => this.#onIdle()));
  }

  /** Resolves when all of the message was passed on, which nobody may alter before. @throws LatentError the one that the stream failed with */
  send(message: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const passed = Promise.withResolvers<void>();
    this.#unsent.push({ message, at: undefined, passed });
    this.#last = passed.promise;
    if (this.#state === 'idle') this.#goOn();
    return passed.promise;
  }

  /** Resolves when everything was passed on that was sent so far. @throws as `send` does */
  async flushed(): Promise<void> {
    await this.#last;
  }

  fail(failure: LatentError): void {
    this.#failure = failure;
    for (const { passed } of this.#unsent.splice(0)) passed.reject(failure);
  }

  #onIdle(): void {
    // A stream that breaks is idle too, as it drops what it held. And the word may be of an earlier piece.
    const isPassed = this.#stream.status === 'open' && this.#stream.writeBufferLength === 0;
    if (this.#state === 'waiting for the window' && isPassed) this.#goOn();
  }

  #goOn(): void {
    const head = this.#unsent[0];
    if (head !== undefined && head.at === head.message.byteLength) {
      this.#unsent.shift();
      head.passed.resolve();
    }
    this.#state = this.#unsent.length > 0 ? 'waiting for its turn' : 'idle';
    if (this.#unsent.length > 0) this.#takeTurn(() => this.#sendPiece());
  }

  #sendPiece(): void {
    const head = this.#unsent[0];
    if (head === undefined || this.#stream.writeStatus !== 'writable') return;
    const { message, at = 0 } = head;
    const isFirst = head.at === undefined;
    const bytes = message.subarray(at, at + PIECE_BYTES - (isFirst ? LENGTH_BYTES : 0));
    head.at = at + bytes.byteLength;
    this.#state = 'waiting for its turn';
    this.#stream.send(isFirst ? new Uint8ArrayList(encodeLength(message), bytes) : bytes);
    if (this.#stream.writeBufferLength > 0) this.#state = 'waiting for the window';
    else this.#goOn();
  }
}
