import { LatentError, type PeerKey } from '@latent/protocol';
import type { Route } from '../paths/path.ts';
import { type EncryptedStream, MAX_MESSAGE_BYTES } from '../transport.ts';
import { frameMessage, MessageReader } from './message-reader.ts';
import type { MuxStream } from './mux.ts';

/** Unread messages beyond this stop the peer, once its window is used up. */
const MAX_UNREAD_BYTES = 64 * 1024;
/** What an unread message costs beside its bytes: many empty ones must count too. */
const UNREAD_MESSAGE_BYTES = 128;

export interface MuxedStreamOptions {
  readonly remoteKey: PeerKey;
  readonly route: () => Route | undefined;
  /** Why the connection ended, once it has. */
  readonly failure: () => LatentError | undefined;
  readonly sendDatagram: (bytes: Uint8Array) => boolean;
}

/** An {@link EncryptedStream} of a connection. */
export class MuxedStream implements EncryptedStream {
  readonly remoteKey: PeerKey;
  readonly closed: Promise<void>;
  readonly #stream: MuxStream;
  readonly #options: MuxedStreamOptions;
  readonly #reader = new MessageReader();
  readonly #unread: Uint8Array[] = [];
  #unreadBytes = 0;
  #isResuming = false;
  #iterated = false;
  #arrival: PromiseWithResolvers<void> | undefined;
  #failure: LatentError | undefined;
  #localEnded = false;
  /** The peer's word that it ended was heard; messages before it may still be unread. */
  #remoteSaidEnd = false;
  #remoteEnded = false;
  #onDatagram: ((bytes: Uint8Array) => void) | undefined;

  constructor(stream: MuxStream, options: MuxedStreamOptions) {
    this.remoteKey = options.remoteKey;
    this.#stream = stream;
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    stream.addEventListener('remoteCloseWrite', () => {
      this.#remoteSaidEnd = true;
    });
    stream.addEventListener('end', () => this.#onEnd());
    stream.addEventListener('close', ({ error }) => {
      if (!this.#remoteSaidEnd || !this.#localEnded) this.#break(this.#whyClosed(error));
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

  async send(message: Uint8Array): Promise<void> {
    if (message.byteLength > MAX_MESSAGE_BYTES) {
      const text = `A message of ${message.byteLength} bytes; a stream carries at most ${MAX_MESSAGE_BYTES}.`;
      throw new LatentError('MESSAGE_TOO_LARGE', text);
    }
    this.#assertSending();
    this.#stream.send(frameMessage(message));
    await this.#sent();
  }

  async *messages(): AsyncGenerator<Uint8Array, void, void> {
    if (this.#iterated) throw new LatentError('INTERNAL', 'The messages of a stream are iterated a second time.');
    this.#iterated = true;
    try {
      while (true) {
        const message = this.#takeUnread();
        if (message !== undefined) yield message;
        else if (this.#remoteEnded) return;
        else if (this.#failure !== undefined) throw this.#failure;
        else {
          this.#arrival = Promise.withResolvers();
          await this.#arrival.promise;
        }
      }
    } finally {
      if (!this.#remoteEnded) this.destroy();
    }
  }

  async end(): Promise<void> {
    if (this.#localEnded) return;
    if (this.#failure !== undefined) throw this.#failure;
    this.#localEnded = true;
    await this.#stream.close().catch((thrown: unknown) => {
      throw this.#failure ?? this.#whyClosed(thrown instanceof Error ? thrown : undefined);
    });
  }

  destroy(): void {
    this.#break(new LatentError('STREAM_CLOSED', 'Our side dropped the stream.'));
  }

  sendDatagram(bytes: Uint8Array): boolean {
    return this.#failure === undefined && !this.#localEnded && this.#options.sendDatagram(bytes);
  }

  onDatagram(listener: (bytes: Uint8Array) => void): void {
    this.#onDatagram = listener;
  }

  /** One that came for this stream. Without a listener it is lost, as datagrams may be. */
  receiveDatagram(bytes: Uint8Array): void {
    this.#onDatagram?.(bytes);
  }

  #assertSending(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#localEnded) throw new LatentError('STREAM_CLOSED', 'Our side of the stream has ended.');
  }

  /** Resolves when the multiplexer has passed everything on. Its own `onDrain` resolves at once after the first time. */
  async #sent(): Promise<void> {
    while (this.#stream.writeBufferLength > 0) {
      await new Promise<void>((resolve) => {
        const done = () => {
          this.#stream.removeEventListener('idle', done);
          this.#stream.removeEventListener('close', done);
          resolve();
        };
        this.#stream.addEventListener('idle', done);
        this.#stream.addEventListener('close', done);
      });
      if (this.#failure !== undefined) throw this.#failure;
    }
  }

  #onData(data: Uint8Array | Iterable<Uint8Array>): void {
    if (this.#failure !== undefined) return;
    try {
      const chunks = data instanceof Uint8Array ? [data] : data;
      for (const chunk of chunks) {
        for (const message of this.#reader.read(chunk)) this.#addUnread(message);
      }
    } catch (thrown) {
      this.#break(
        thrown instanceof LatentError
          ? thrown
          : new LatentError('STREAM_CLOSED', 'The stream broke.', { cause: thrown }),
      );
    }
    this.#arrival?.resolve();
  }

  /** Nothing more will come: because the peer ended, or because the stream was cut, which `close` tells the reason of. */
  #onEnd(): void {
    if (!this.#remoteSaidEnd) return;
    if (this.#reader.isAmidMessage) this.#break(new LatentError('STREAM_CLOSED', 'The peer ended amid a message.'));
    else this.#remoteEnded = true;
    this.#arrival?.resolve();
  }

  #addUnread(message: Uint8Array): void {
    this.#unread.push(message);
    this.#unreadBytes += message.byteLength + UNREAD_MESSAGE_BYTES;
    this.#pauseWhenFull();
  }

  /** Not while the stream is being resumed: the multiplexer would forget the pause and grant the peer one window after the other. */
  #pauseWhenFull(): void {
    if (this.#isResuming || this.#unreadBytes < MAX_UNREAD_BYTES) return;
    if (this.#stream.readStatus === 'readable') this.#stream.pause();
  }

  #takeUnread(): Uint8Array | undefined {
    const message = this.#unread.shift();
    if (message === undefined) return undefined;
    this.#unreadBytes -= message.byteLength + UNREAD_MESSAGE_BYTES;
    if (this.#unreadBytes < MAX_UNREAD_BYTES / 2 && this.#stream.readStatus === 'paused') {
      this.#isResuming = true;
      this.#stream.resume();
      this.#isResuming = false;
      this.#pauseWhenFull();
    }
    return message;
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
    if (this.#failure !== undefined || (this.#localEnded && this.#remoteEnded)) return;
    this.#failure = failure;
    this.#stream.abort(failure);
    this.#arrival?.resolve();
  }
}
