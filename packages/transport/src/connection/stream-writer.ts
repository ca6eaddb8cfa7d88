import type { LatentError } from '@latent/protocol';
import { frameMessage } from './message-reader.ts';
import type { MuxStream } from './mux.ts';

/**
 * A stream sends so much in its turn: a message on a path with all that belongs to it, and little enough that others need not wait long.
 * What a stream without window keeps back.
 */
export const PIECE_BYTES = 60 * 1024;

export interface StreamWriterOptions {
  /** Calls `send` in this stream's turn. */
  readonly takeTurn: (send: () => void) => void;
}

interface Unsent {
  /** The message with its length in front. */
  readonly frame: Uint8Array;
  /** Bytes of it that were passed on. */
  at: number;
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

  /** Copies the message. Resolves when all of it was passed on. @throws LatentError the one that the stream failed with */
  send(message: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const passed = Promise.withResolvers<void>();
    this.#unsent.push({ frame: frameMessage(message), at: 0, passed });
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
    if (head !== undefined && head.at === head.frame.byteLength) {
      this.#unsent.shift();
      head.passed.resolve();
    }
    this.#state = this.#unsent.length > 0 ? 'waiting for its turn' : 'idle';
    if (this.#unsent.length > 0) this.#takeTurn(() => this.#sendPiece());
  }

  #sendPiece(): void {
    const head = this.#unsent[0];
    if (head === undefined || this.#stream.writeStatus !== 'writable') return;
    const piece = head.frame.subarray(head.at, head.at + PIECE_BYTES);
    head.at += piece.byteLength;
    this.#state = 'waiting for its turn';
    this.#stream.send(piece);
    if (this.#stream.writeBufferLength > 0) this.#state = 'waiting for the window';
    else this.#goOn();
  }
}
