import { LatentError, type PeerKey } from '@latent/protocol';
import type { Path, Route } from '../paths/path.ts';
import { after, every } from '../timers.ts';
import { Datagrams, MAX_DATAGRAM_BYTES } from './datagrams.ts';
import { createMux, type Mux, type MuxStream } from './mux.ts';
import { MuxedStream } from './muxed-stream.ts';
import {
  DATA_TAG,
  DATAGRAM_TAG,
  encodeAck,
  encodeGoodbye,
  type Goodbye,
  MAX_DATA_BYTES,
  type PathMessage,
  PING,
  PONG,
} from './path-message.ts';
import { ResendBuffer } from './resend-buffer.ts';

export interface ConnectionTimes {
  /** A path on which nothing came for so long, though something was asked, is lost. */
  readonly pathTimeoutMs: number;
  /** How long an unused connection leaves its path without a sign of life; also keeps NATs from forgetting it. */
  readonly quietMs: number;
  /** A connection without any path for so long is over. */
  readonly resumeMs: number;
}

/** Where both sides stand when a path begins. */
export interface PathStart {
  readonly generation: number;
  readonly peerReceived: number;
  readonly toldReceived: number;
}

export interface ConnectionOptions {
  readonly remoteKey: PeerKey;
  readonly id: string;
  /** The side that dialled; it also sees to new paths. */
  readonly isInitiator: boolean;
  readonly maxInboundStreams: number;
  readonly times: ConnectionTimes;
  readonly onStream: (stream: MuxedStream) => void;
  /** The path was lost: the connection waits for another one. */
  readonly onPathLost: () => void;
  /** Over for good. Called once. */
  readonly onEnded: (error: LatentError) => void;
}

/** Bytes that may be on the way unacknowledged: what 40 MB/s need at 100 ms, and what either side keeps in memory. */
export const MAX_UNACKNOWLEDGED_BYTES = 4 * 1024 * 1024;
/** Bytes that wait here for the path, beside what the path itself holds: little, so that a small message need not wait long. */
const MAX_UNSENT_BYTES = 128 * 1024;
const ACK_EVERY_BYTES = 256 * 1024;
const ACK_DELAY_MS = 50;

/**
 * What lasts between two peers: the streams, over one path at a time. Each path is encrypted and authenticated by itself, so that this
 * can trust what arrives. Bytes are counted on both sides; on a new path each side says how far it has received, and the other goes on
 * from there.
 */
export class Connection {
  readonly remoteKey: PeerKey;
  readonly id: string;
  readonly #options: ConnectionOptions;
  readonly #mux: Mux;
  readonly #streams = new Map<number, MuxedStream>();
  readonly #datagrams = new Datagrams();
  readonly #unsent = new ResendBuffer();
  #sentTo = 0;
  #received = 0;
  #acknowledged = 0;
  #stopAckTimer: (() => void) | undefined;
  #path: Path | undefined;
  #isPathFull = false;
  #isMuxHeld = false;
  #generation = 0;
  #failure: LatentError | undefined;
  #lastHeardMs = performance.now();
  #lastUsedMs = performance.now();
  #pingSentMs: number | undefined;
  #roundTripMs: number | undefined;
  #stopResumeTimer: (() => void) | undefined;
  readonly #stopHeartbeat: () => void;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.remoteKey = options.remoteKey;
    this.id = options.id;
    this.#mux = createMux({
      isInitiator: options.isInitiator,
      maxInboundStreams: options.maxInboundStreams,
      send: (chunks) => this.#accept(chunks),
      onStream: (stream) => options.onStream(this.#wrap(stream)),
    });
    this.#stopHeartbeat = every(Math.ceil(options.times.pathTimeoutMs / 4), () => this.#beat());
    this.#awaitPath();
  }

  get route(): Route | undefined {
    return this.#path?.route;
  }

  get roundTripMs(): number | undefined {
    return this.#path?.roundTripMs ?? this.#roundTripMs;
  }

  get failure(): LatentError | undefined {
    return this.#failure;
  }

  /** Bytes received so far, to be told on a new path. */
  get received(): number {
    return this.#received;
  }

  /** Of the newest path. */
  get generation(): number {
    return this.#generation;
  }

  get streams(): number {
    return this.#mux.streams;
  }

  /** Milliseconds since a stream was last open. */
  get unusedMs(): number {
    return this.#mux.streams > 0 ? 0 : performance.now() - this.#lastUsedMs;
  }

  /** @throws LatentError STREAM_CLOSED when the connection is over */
  async openStream(): Promise<MuxedStream> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#lastUsedMs = performance.now();
    return this.#wrap(await this.#mux.open());
  }

  /**
   * Goes on over another path. The one before is dropped: what was on its way there is sent again.
   * @param at.peerReceived as the peer says; what it has acknowledged before lies at or before it
   * @param at.toldReceived what the peer was told on this path
   * @throws LatentError MESSAGE_INVALID when the peer cannot have received that
   */
  attach(path: Path, at: PathStart): void {
    const { generation, peerReceived, toldReceived } = at;
    if (!this.#unsent.holds(peerReceived)) {
      throw new LatentError(
        'MESSAGE_INVALID',
        'The peer says that it received what was never sent, or forgot what it had.',
      );
    }
    const before = this.#path;
    this.#path = path;
    this.#generation = generation;
    this.#isPathFull = false;
    this.#lastHeardMs = performance.now();
    this.#pingSentMs = undefined;
    this.#stopResumeTimer?.();
    this.#acknowledged = toldReceived;
    this.#unsent.acknowledge(peerReceived);
    this.#sentTo = peerReceived;
    before?.destroy();
    this.#pump();
    this.#mux.measure();
  }

  /**
   * A message that came on a path. Those of an earlier path still count: what is received twice is told apart by its offset.
   * @param offset of the path: where its next data belong; the caller keeps it
   * @returns the path's offset after the message
   */
  receive(path: Path, message: PathMessage, offset: number): number {
    if (path === this.#path) this.#lastHeardMs = performance.now();
    switch (message.kind) {
      case 'data':
        return this.#receiveData(message.bytes, offset);
      case 'ack':
        if (!this.#unsent.acknowledge(message.received)) {
          throw new LatentError('MESSAGE_INVALID', 'The peer acknowledged what was never sent.');
        }
        this.#pump();
        return offset;
      case 'ping':
        path.sendMessage(PONG);
        return offset;
      case 'pong':
        if (this.#pingSentMs !== undefined) this.#roundTripMs = performance.now() - this.#pingSentMs;
        this.#pingSentMs = undefined;
        return offset;
      case 'datagram':
        this.receiveDatagram(message.bytes);
        return offset;
      case 'goodbye':
        this.#end(toEndError(message));
        return offset;
      case 'attach':
      case 'attached':
        throw new LatentError('MESSAGE_INVALID', 'The peer attached a path a second time.');
      default:
        return message satisfies never;
    }
  }

  receiveDatagram(packet: Uint8Array): void {
    const datagram = this.#datagrams.decode(packet);
    if (datagram !== undefined) this.#streams.get(datagram.streamId)?.receiveDatagram(datagram.bytes);
  }

  /** The path can take more. */
  drained(path: Path): void {
    if (path !== this.#path) return;
    this.#isPathFull = false;
    this.#pump();
  }

  /** The path has ended. */
  lost(path: Path): void {
    if (path !== this.#path || this.#failure !== undefined) return;
    this.#path = undefined;
    this.#awaitPath();
    this.#options.onPathLost();
  }

  /** Asks for a sign of life at once: there is reason to doubt the path. */
  checkPath(): void {
    if (this.#path === undefined || this.#pingSentMs !== undefined) return;
    this.#pingSentMs = performance.now();
    this.#path.sendMessage(PING);
  }

  /** Ends the connection and tells the peer why, if a path is there. */
  end(reason: Goodbye): void {
    const path = this.#path;
    path?.sendMessage(encodeGoodbye(reason));
    this.#end(new LatentError('STREAM_CLOSED', `The connection was ended here: ${reason.message}`), path);
  }

  /** Ends the connection at once. */
  fail(error: LatentError): void {
    this.#end(error);
  }

  #wrap(stream: MuxStream): MuxedStream {
    const { streamId } = stream;
    const muxed = new MuxedStream(stream, {
      remoteKey: this.remoteKey,
      route: () => this.route,
      failure: () => this.#failure,
      sendDatagram: (bytes) => this.#sendDatagram(streamId, bytes),
    });
    this.#streams.set(streamId, muxed);
    void muxed.closed.then(() => {
      this.#streams.delete(streamId);
      this.#lastUsedMs = performance.now();
    });
    return muxed;
  }

  #sendDatagram(streamId: number, bytes: Uint8Array): boolean {
    const path = this.#path;
    if (path === undefined || bytes.byteLength > MAX_DATAGRAM_BYTES) return false;
    const packet = this.#datagrams.encode({ streamId, bytes });
    if (path.sendUnordered(packet)) return true;
    // In order is better than not at all, but not behind a queue.
    if (this.#isPathFull) return false;
    this.#isPathFull = !path.send(DATAGRAM_TAG, [packet]);
    return true;
  }

  /** Takes bytes of the multiplexer. @returns false when it has to wait for `drained` */
  #accept(chunks: readonly Uint8Array[]): boolean {
    if (this.#failure !== undefined) return false;
    for (const chunk of chunks) this.#unsent.append(chunk);
    this.#pump();
    this.#isMuxHeld = !this.#hasRoom();
    return !this.#isMuxHeld;
  }

  #hasRoom(): boolean {
    return (
      this.#unsent.unacknowledgedBytes < MAX_UNACKNOWLEDGED_BYTES && this.#unsent.end - this.#sentTo < MAX_UNSENT_BYTES
    );
  }

  #pump(): void {
    const path = this.#path;
    while (path !== undefined && !this.#isPathFull && this.#sentTo < this.#unsent.end) {
      const parts = this.#unsent.read(this.#sentTo, MAX_DATA_BYTES);
      this.#sentTo += parts.reduce((sum, part) => sum + part.byteLength, 0);
      this.#isPathFull = !path.send(DATA_TAG, parts);
    }
    if (!this.#isMuxHeld || !this.#hasRoom()) return;
    this.#isMuxHeld = false;
    this.#mux.drained();
  }

  #receiveData(bytes: Uint8Array, offset: number): number {
    const end = offset + bytes.byteLength;
    if (offset > this.#received) throw new LatentError('MESSAGE_INVALID', 'The peer left out bytes of the connection.');
    if (end > this.#received) {
      const fresh = bytes.subarray(this.#received - offset);
      this.#received = end;
      this.#mux.receive(fresh);
    }
    // Also for what was here before: the peer sends again what it does not know to have arrived.
    if (this.#received !== this.#acknowledged) this.#scheduleAck();
    return end;
  }

  #scheduleAck(): void {
    if (this.#received - this.#acknowledged >= ACK_EVERY_BYTES) this.#sendAck();
    else this.#stopAckTimer ??= after(ACK_DELAY_MS, () => this.#sendAck());
  }

  #sendAck(): void {
    this.#stopAckTimer?.();
    this.#stopAckTimer = undefined;
    if (this.#path === undefined || this.#acknowledged === this.#received) return;
    this.#acknowledged = this.#received;
    this.#path.sendMessage(encodeAck(this.#received));
  }

  /** Only silence tells that a path is dead: nobody says so, and what is sent into it goes unanswered. */
  #beat(): void {
    const path = this.#path;
    if (path === undefined) return;
    const { pathTimeoutMs, quietMs } = this.#options.times;
    const now = performance.now();
    const silentMs = now - this.#lastHeardMs;
    const patienceMs = this.#mux.streams > 0 || this.#unsent.unacknowledgedBytes > 0 ? pathTimeoutMs / 2 : quietMs;
    if (this.#pingSentMs !== undefined && now - Math.max(this.#pingSentMs, this.#lastHeardMs) >= pathTimeoutMs / 2) {
      path.destroy();
      this.lost(path);
    } else if (silentMs >= patienceMs) this.checkPath();
  }

  #awaitPath(): void {
    const { resumeMs } = this.#options.times;
    this.#stopResumeTimer = after(resumeMs, () => {
      const text = `No path to the peer was found for ${resumeMs} ms.`;
      this.#end(new LatentError('STREAM_CLOSED', text, { details: { resumeMs } }));
    });
  }

  #end(error: LatentError, lastPath?: Path): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#stopHeartbeat();
    this.#stopAckTimer?.();
    this.#stopResumeTimer?.();
    this.#mux.abort(error);
    const path = this.#path;
    this.#path = undefined;
    // A goodbye that was just written still leaves; everything else is dropped.
    if (path !== undefined && path === lastPath) path.end();
    else path?.destroy();
    this.#options.onEnded(error);
  }
}

function toEndError({ code, message }: Goodbye): LatentError {
  const text = `The peer ended the connection (${code.slice(0, 64)}): ${message}`;
  return new LatentError('STREAM_CLOSED', text, { details: { code } });
}
