import type NoiseSecretStream from '@hyperswarm/secret-stream';
import { LatentError, type PeerKey } from '@latent/protocol';
import { MAX_DATAGRAM_BYTES } from '../connection/datagrams.ts';
import type { Route } from '../paths/path.ts';
import { type EncryptedStream, MAX_MESSAGE_BYTES } from '../transport.ts';
import type { FrameGuard } from './frame-guard.ts';
import { FRAME_DATAGRAM, FRAME_END, FRAME_KIND_BYTES, FRAME_MESSAGE } from './frame-kind.ts';
import type { SecuredSocket } from './secure-socket.ts';

/** Unread messages beyond this stop the reading from the socket. */
const MAX_UNREAD_BYTES = 64 * 1024;
/** What an unread message costs beside its bytes: many empty ones must count too. */
const UNREAD_MESSAGE_BYTES = 128;
/** A silent peer is given this many heartbeats. */
const HEARTBEATS_PER_IDLE_TIMEOUT = 3;

/** An {@link EncryptedStream} over a secured socket. */
export class NoiseStream implements EncryptedStream {
  readonly remoteKey: PeerKey;
  readonly closed: Promise<void>;
  readonly #noise: NoiseSecretStream;
  readonly #guard: FrameGuard;
  readonly #route: Route;
  #heartbeat: NodeJS.Timeout | undefined;
  #closing = false;
  #failure: LatentError | undefined;
  #localEnded = false;
  #remoteEnded = false;

  #unread: Uint8Array[] = [];
  #unreadBytes = 0;
  #paused = false;
  #iterated = false;
  #arrival: PromiseWithResolvers<void> | undefined;

  #onDatagram: ((bytes: Uint8Array) => void) | undefined;

  #lastSend: Promise<void> = Promise.resolve();
  #drain: PromiseWithResolvers<void> | undefined;

  /**
   * @param options.idleTimeoutMs the stream breaks when nothing, heartbeats included, came for so long; both sides should
   *   agree on it, as heartbeats are sent three times as often
   */
  constructor(secured: SecuredSocket, options: { readonly idleTimeoutMs: number }) {
    this.remoteKey = secured.remoteKey;
    this.#noise = secured.noise;
    this.#guard = secured.guard;
    this.#route = { kind: 'direct', through: secured.through };
    this.closed = new Promise((resolve) => {
      if (this.#guard.closed) resolve();
      else this.#guard.once('close', () => resolve());
    });
    this.#noise.on('data', (frame) => this.#onFrame(frame));
    this.#noise.on('drain', () => this.#drain?.resolve());
    this.#noise.on('end', () => this.#onCut(undefined));
    this.#noise.on('error', (error) => this.#onCut(error));
    this.#noise.on('close', () => this.#onCut(undefined));
    void this.closed.then(() => this.#onClosed());
    this.#startHeartbeat(options.idleTimeoutMs);
    this.#noise.resume();
  }

  send(message: Uint8Array): Promise<void> {
    if (message.byteLength > MAX_MESSAGE_BYTES) {
      const text = `A message of ${message.byteLength} bytes; a stream carries at most ${MAX_MESSAGE_BYTES}.`;
      return Promise.reject(new LatentError('MESSAGE_TOO_LARGE', text));
    }
    if (this.#localEnded) return Promise.reject(new LatentError('STREAM_CLOSED', 'Our side of the stream has ended.'));
    return this.#enqueue(FRAME_MESSAGE, message);
  }

  get route(): Route {
    return this.#route;
  }

  sendDatagram(bytes: Uint8Array): boolean {
    // While a message waits for room there is none for a datagram either.
    const isFull = this.#drain !== undefined || this.#failure !== undefined || this.#localEnded;
    if (isFull || bytes.byteLength > MAX_DATAGRAM_BYTES) return false;
    const frame = this.#noise.alloc(FRAME_KIND_BYTES + bytes.byteLength);
    frame[0] = FRAME_DATAGRAM;
    frame.set(bytes, FRAME_KIND_BYTES);
    this.#noise.write(frame);
    return true;
  }

  onDatagram(listener: (bytes: Uint8Array) => void): void {
    this.#onDatagram = listener;
  }

  async *messages(): AsyncGenerator<Uint8Array, void, void> {
    if (this.#iterated) throw new LatentError('INTERNAL', 'The messages of a stream are iterated a second time.');
    this.#iterated = true;
    let hasEnded = false;
    try {
      while (true) {
        const message = this.#takeUnread();
        if (message !== undefined) yield message;
        else if (this.#remoteEnded) {
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
    if (!this.#localEnded) {
      this.#localEnded = true;
      await this.#enqueue(FRAME_END, new Uint8Array());
      this.#closeWhenBothEnded();
    } else await this.#lastSend;
  }

  destroy(): void {
    this.#unread = [];
    this.#unreadBytes = 0;
    this.#break(new LatentError('STREAM_CLOSED', 'The stream was dropped on our side.'));
  }

  #enqueue(kind: number, message: Uint8Array): Promise<void> {
    const sent = this.#lastSend.then(() => this.#write(kind, message));
    // The failure is the sender's to handle; whoever queues behind it meets the same one in #write.
    this.#lastSend = sent.catch(() => undefined);
    return sent;
  }

  async #write(kind: number, message: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const frame = this.#noise.alloc(FRAME_KIND_BYTES + message.byteLength);
    frame[0] = kind;
    frame.set(message, FRAME_KIND_BYTES);
    if (this.#noise.write(frame)) return;
    this.#drain = Promise.withResolvers();
    await this.#drain.promise;
    this.#drain = undefined;
  }

  #onFrame(frame: Buffer): void {
    if (this.#failure !== undefined) return;
    const kind = frame[0];
    const isEnd = kind === FRAME_END && frame.byteLength === FRAME_KIND_BYTES;
    if (kind === FRAME_DATAGRAM && !this.#remoteEnded && frame.byteLength <= FRAME_KIND_BYTES + MAX_DATAGRAM_BYTES) {
      this.#onDatagram?.(Uint8Array.from(frame.subarray(FRAME_KIND_BYTES)));
      return;
    }
    if (this.#remoteEnded || (kind !== FRAME_MESSAGE && !isEnd)) {
      this.#break(new LatentError('STREAM_CLOSED', 'The peer broke the rules of the stream.'));
      return;
    }
    if (isEnd) {
      this.#remoteEnded = true;
      this.#closeWhenBothEnded();
    } else {
      // A plain Uint8Array: users must not come to rely on Node's Buffer.
      const { buffer, byteOffset, byteLength } = frame.subarray(FRAME_KIND_BYTES);
      this.#addUnread(new Uint8Array(buffer, byteOffset, byteLength));
    }
    this.#arrival?.resolve();
  }

  #addUnread(message: Uint8Array): void {
    this.#unread.push(message);
    this.#unreadBytes += message.byteLength + UNREAD_MESSAGE_BYTES;
    if (this.#unreadBytes < MAX_UNREAD_BYTES) return;
    this.#paused = true;
    this.#noise.pause();
  }

  #takeUnread(): Uint8Array | undefined {
    const message = this.#unread.shift();
    if (message === undefined) return undefined;
    this.#unreadBytes -= message.byteLength + UNREAD_MESSAGE_BYTES;
    if (this.#paused && this.#unreadBytes < MAX_UNREAD_BYTES / 2) {
      this.#paused = false;
      this.#noise.resume();
    }
    return message;
  }

  /**
   * Only closes our direction. The peer may lag behind in reading: closing the socket as well would answer its next
   * heartbeat with a reset and destroy what it has not read. It is let go when it closes too, or falls silent.
   */
  #closeWhenBothEnded(): void {
    if (!this.#localEnded || !this.#remoteEnded || this.#failure !== undefined || this.#closing) return;
    this.#closing = true;
    // Behind whatever is still being sent: an end that was asked for but is queued must leave first.
    void this.#lastSend.then(() => this.#noise.end());
  }

  #onCut(cause: Error | undefined): void {
    if (this.#localEnded && this.#remoteEnded) return;
    if (cause instanceof LatentError) this.#break(cause);
    else this.#break(new LatentError('STREAM_CLOSED', 'The connection to the peer was cut.', { cause }));
  }

  #break(failure: LatentError): void {
    if (this.#failure === undefined) this.#failure = failure;
    this.#noise.destroy();
    this.#arrival?.resolve();
    this.#drain?.reject(this.#failure);
  }

  #onClosed(): void {
    clearInterval(this.#heartbeat);
    this.#onCut(undefined);
  }

  /** A machine that vanishes sends no FIN: only silence tells. A reader that lags is no silence, so a pause does not count. */
  #startHeartbeat(idleTimeoutMs: number): void {
    const periodMs = Math.max(1, Math.floor(idleTimeoutMs / HEARTBEATS_PER_IDLE_TIMEOUT));
    this.#noise.setKeepAlive(periodMs);
    let lastReceivedBytes = this.#guard.receivedBytes;
    let silentPeriods = 0;
    this.#heartbeat = setInterval(() => {
      const { receivedBytes } = this.#guard;
      silentPeriods = receivedBytes === lastReceivedBytes && !this.#paused ? silentPeriods + 1 : 0;
      lastReceivedBytes = receivedBytes;
      if (silentPeriods < HEARTBEATS_PER_IDLE_TIMEOUT) return;
      const text = `Nothing came from the peer for ${idleTimeoutMs} ms.`;
      this.#break(new LatentError('STREAM_CLOSED', text, { details: { idleTimeoutMs } }));
    }, periodMs).unref();
  }
}
