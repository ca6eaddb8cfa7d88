import { LatentError, type PeerKey } from '@latent/protocol';
import type { Route } from '../paths/path.ts';
import { type EncryptedStream, MAX_MESSAGE_BYTES } from '../transport.ts';
import { MessageReader } from './message-reader.ts';
import { FIRST_WINDOW_BYTES, type MuxStream } from './mux.ts';
import { StreamWriter, type StreamWriterOptions } from './stream-writer.ts';
import type { UnreadLimit } from './unread-limit.ts';

/** Unread bytes beyond this stop the peer, once its window is used up. */
const MAX_UNREAD_BYTES = 64 * 1024;
/** The peer is granted its window anew whenever it has used so much of it. */
const GRANT_BYTES = FIRST_WINDOW_BYTES / 2;

export interface MuxedStreamOptions extends StreamWriterOptions {
  readonly remoteKey: PeerKey;
  readonly route: () => Route | undefined;
  /** Why the connection ended, once it has. */
  readonly failure: () => LatentError | undefined;
  readonly sendDatagram: (bytes: Uint8Array) => boolean;
  /** Of the connection, for all its streams together. */
  readonly unread: UnreadLimit;
}

/** An {@link EncryptedStream} of a connection. */
export class MuxedStream implements EncryptedStream {
  readonly remoteKey: PeerKey;
  readonly closed: Promise<void>;
  readonly #stream: MuxStream;
  readonly #options: MuxedStreamOptions;
  #reader = new MessageReader();
  readonly #writer: StreamWriter;
  /** Bytes that came since the peer was granted its window anew. */
  #ungrantedBytes = 0;
  /** Unread bytes as the connection has counted them; a stream that is over counts no more. */
  #countedBytes = 0;
  #isOver = false;
  #iterated = false;
  #arrival: PromiseWithResolvers<void> | undefined;
  #failure: LatentError | undefined;
  #ending: Promise<void> | undefined;
  /** All that we sent before the end has been passed on, and so is the end. */
  #localEnded = false;
  /** The peer's word that it ended is here; messages before it may still be unread. */
  #remoteEnded = false;
  #isDropped = false;
  #onDatagram: ((bytes: Uint8Array) => void) | undefined;

  constructor(stream: MuxStream, options: MuxedStreamOptions) {
    this.remoteKey = options.remoteKey;
    this.#stream = stream;
    this.#options = options;
    this.#writer = new StreamWriter(stream, options);
    stream.sendPause();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    stream.addEventListener('remoteCloseWrite', () => {
      this.#remoteEnded = true;
      this.#arrival?.resolve();
    });
    stream.addEventListener('close', ({ error }) => {
      if (!this.#remoteEnded || !this.#localEnded) this.#break(this.#whyClosed(error));
      this.#isOver = true;
      this.#countUnread();
      resolve();
    });
    stream.addEventListener('message', ({ data }) => this.#onData(data));
  }

  get id(): number {
    return this.#stream.streamId;
  }

  get route(): Route | undefined {
    return this.#options.route();
  }

  /** Bytes that arrived and were not read: at most a window beyond MAX_UNREAD_BYTES. */
  get unreadBytes(): number {
    return this.#reader.heldBytes;
  }

  async send(message: Uint8Array): Promise<void> {
    if (message.byteLength > MAX_MESSAGE_BYTES) {
      const text = `A message of ${message.byteLength} bytes; a stream carries at most ${MAX_MESSAGE_BYTES}.`;
      throw new LatentError('MESSAGE_TOO_LARGE', text);
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ending !== undefined) throw new LatentError('STREAM_CLOSED', 'Our side of the stream has ended.');
    await this.#writer.send(message);
  }

  async *messages(): AsyncGenerator<Uint8Array, void, void> {
    if (this.#iterated) throw new LatentError('INTERNAL', 'The messages of a stream are iterated a second time.');
    this.#iterated = true;
    let hasEnded = false;
    try {
      while (true) {
        const message = this.#takeMessage();
        if (message !== undefined) yield message;
        else if (this.#remoteEnded && this.#reader.heldBytes === 0) {
          hasEnded = true;
          return;
        } else if (this.#failure !== undefined) throw this.#failure;
        else {
          this.#arrival = Promise.withResolvers();
          await this.#arrival.promise;
        }
      }
    } finally {
      if (!hasEnded) this.destroy();
    }
  }

  async end(): Promise<void> {
    if (this.#ending === undefined && this.#failure !== undefined) throw this.#failure;
    this.#ending ??= this.#endWrite();
    await this.#ending;
  }

  destroy(): void {
    this.#drop(new LatentError('STREAM_CLOSED', 'Our side dropped the stream.'));
  }

  sendDatagram(bytes: Uint8Array): boolean {
    return this.#failure === undefined && this.#ending === undefined && this.#options.sendDatagram(bytes);
  }

  onDatagram(listener: (bytes: Uint8Array) => void): void {
    this.#onDatagram = listener;
  }

  /** One that came for this stream. Without a listener it is lost, as datagrams may be. */
  receiveDatagram(bytes: Uint8Array): void {
    if (this.#failure === undefined) this.#onDatagram?.(bytes);
  }

  async #endWrite(): Promise<void> {
    await this.#writer.flushed();
    this.#localEnded = true;
    await this.#stream.close();
  }

  #onData(data: Uint8Array | Iterable<Uint8Array>): void {
    if (this.#failure !== undefined) return;
    try {
      if (this.#remoteEnded) throw new LatentError('STREAM_CLOSED', 'The peer sent more after its end.');
      for (const chunk of data instanceof Uint8Array ? [data] : data) {
        this.#ungrantedBytes += chunk.byteLength;
        this.#reader.add(chunk);
      }
      this.#countUnread();
      this.#grant();
    } catch (thrown) {
      this.#break(toStreamError(thrown));
    }
    if (this.#options.unread.isExceeded) this.#drop(tooMuchUnread());
    this.#arrival?.resolve();
  }

  /** @throws LatentError MESSAGE_TOO_LARGE; STREAM_CLOSED (dropped on our side; the peer ended amid a message) */
  #takeMessage(): Uint8Array | undefined {
    if (this.#isDropped && this.#failure !== undefined) throw this.#failure;
    try {
      const message = this.#reader.take();
      this.#countUnread();
      if (message !== undefined) this.#grant();
      else if (this.#remoteEnded && this.#reader.heldBytes > 0) {
        throw new LatentError('STREAM_CLOSED', 'The peer ended amid a message.');
      }
      return message;
    } catch (thrown) {
      this.#break(toStreamError(thrown));
      throw this.#failure ?? thrown;
    }
  }

  /**
   * Holds the peer back by its window alone, which it is granted anew as far as it is read. Left to itself the multiplexer grants, and
   * doubles the window, with every frame that comes, read or not. Its own `pause` would keep what still comes, and drop it when the
   * connection breaks: behind an end that has arrived, that would look like a stream that was received whole.
   */
  #grant(): void {
    const { heldBytes, hasMessage } = this.#reader;
    const isRead = heldBytes < MAX_UNREAD_BYTES / 2 || !hasMessage;
    if (this.#ungrantedBytes < GRANT_BYTES || !isRead || this.#stream.status !== 'open' || this.#remoteEnded) return;
    this.#ungrantedBytes = 0;
    this.#stream.sendResume();
    this.#stream.sendPause();
  }

  #countUnread(): void {
    const held = this.#isOver ? 0 : this.#reader.heldBytes;
    if (held === this.#countedBytes) return;
    this.#options.unread.change(this.#countedBytes, held);
    this.#countedBytes = held;
  }

  /** Breaks the stream, and forgets what lies unread. */
  #drop(failure: LatentError): void {
    this.#isDropped = true;
    this.#break(failure);
    this.#reader = new MessageReader();
    this.#countUnread();
  }

  #whyClosed(cause: Error | undefined): LatentError {
    return (
      this.#options.failure() ??
      (cause instanceof LatentError
        ? cause
        : new LatentError('STREAM_CLOSED', 'The peer dropped the stream.', { cause }))
    );
  }

  #break(failure: LatentError): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    this.#arrival?.resolve();
    if (this.#localEnded && this.#remoteEnded) return;
    this.#writer.fail(failure);
    this.#stream.abort(failure);
  }
}

function tooMuchUnread(): LatentError {
  const text = 'Too much lies unread of all streams of this connection together.';
  return new LatentError('STREAM_CLOSED', text, { hint: 'Use fewer streams at a time, or read them.' });
}

function toStreamError(thrown: unknown): LatentError {
  return thrown instanceof LatentError
    ? thrown
    : new LatentError('STREAM_CLOSED', 'The stream broke.', { cause: thrown });
}
