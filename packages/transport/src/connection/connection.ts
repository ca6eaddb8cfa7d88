import { LatentError, type PeerKey } from '@latent/protocol';
import type { Path, Route } from '../paths/path.ts';
import { after } from '../timers.ts';
import { Datagrams, MAX_DATAGRAM_BYTES } from './datagrams.ts';
import { Heartbeat } from './heartbeat.ts';
import { Incoming } from './incoming.ts';
import { createMux, MAX_OUTBOUND_STREAMS, type Mux, type MuxStream } from './mux.ts';
import { MuxedStream } from './muxed-stream.ts';
import { Outgoing } from './outgoing.ts';
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
import { Turns } from './turns.ts';
import { UnreadLimit } from './unread-limit.ts';

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
  /** As the peer says: from there on it wants our bytes. */
  readonly peerReceived: number;
  /** What the peer was told of ours. */
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
  readonly #unread = new UnreadLimit();
  readonly #outgoing: Outgoing;
  readonly #turns = new Turns(() => this.#outgoing.hasRoom);
  readonly #incoming = new Incoming(() => this.#sendAck());
  #path: Path | undefined;
  #isPathFull = false;
  #isReceiving = false;
  #generation = 0;
  #failure: LatentError | undefined;
  #lastUsedMs = performance.now();
  #stopResumeTimer: (() => void) | undefined;
  readonly #heartbeat: Heartbeat;
  /** The path that a goodbye leaves on. */
  #lastPath: Path | undefined;
  readonly #closed = Promise.withResolvers<void>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.remoteKey = options.remoteKey;
    this.id = options.id;
    this.#outgoing = new Outgoing(options.isInitiator ? MAX_OUTBOUND_STREAMS : options.maxInboundStreams);
    this.#mux = createMux({
      isInitiator: options.isInitiator,
      maxInboundStreams: options.maxInboundStreams,
      send: (chunks) => this.#accept(chunks),
      onStream: (stream) => options.onStream(this.#wrap(stream)),
    });
    const { pathTimeoutMs, quietMs } = options.times;
    this.#heartbeat = new Heartbeat({
      pathTimeoutMs,
      patienceMs: () => (this.streams > 0 || this.heldBytes > 0 ? pathTimeoutMs / 2 : quietMs),
      ping: () => this.#path?.sendMessage(PING),
      onDead: () => this.#drop(),
    });
    this.#awaitPath();
  }

  get route(): Route | undefined {
    return this.#path?.route;
  }

  get roundTripMs(): number | undefined {
    return this.#path?.roundTripMs ?? this.#heartbeat.roundTripMs;
  }

  get failure(): LatentError | undefined {
    return this.#failure;
  }

  /** Settles when the connection has ended and its last word has left, or could not. Never rejects. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Bytes received so far, to be told on a new path. */
  get received(): number {
    return this.#incoming.received;
  }

  /** Of the newest path. */
  get generation(): number {
    return this.#generation;
  }

  /** Bytes that are kept, as the peer has not acknowledged them. */
  get heldBytes(): number {
    return this.#outgoing.heldBytes;
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
    const stream = await this.#mux.open();
    if (this.#failure !== undefined) throw this.#failure;
    return this.#wrap(stream);
  }

  /** From where we would send on a path whose peer says so. @throws as `Outgoing.resumeFrom` does */
  resumeFrom(peerReceived: number): number {
    return this.#outgoing.resumeFrom(peerReceived);
  }

  /**
   * Goes on over another path. The one before is dropped: what was on its way there is sent again.
   * @throws LatentError MESSAGE_INVALID when the peer cannot have received what it says
   */
  attach(path: Path, { generation, peerReceived, toldReceived }: PathStart): void {
    const from = this.resumeFrom(peerReceived);
    const before = this.#path;
    this.#path = path;
    this.#generation = generation;
    this.#isPathFull = false;
    this.#heartbeat.restart();
    this.#stopResumeTimer?.();
    this.#incoming.told(toldReceived);
    this.#outgoing.restart(from);
    if (before !== undefined) this.#leave(before);
    this.#goOn();
    this.#mux.measure();
  }

  /**
   * A message that came on a path. What still comes on an earlier one is left alone: the peer was told how far we had received when the
   * newer one began, and goes on from there.
   * @param offset of the path: where its next data belong; the caller keeps it
   * @returns the path's offset after the message
   */
  receive(path: Path, message: PathMessage, offset: number): number {
    if (this.#failure !== undefined) {
      // What still comes when the connection is over interests nobody, but for a goodbye: then the peer waits for none of ours.
      if (message.kind === 'goodbye') path.destroy();
      return offset;
    }
    if (message.kind === 'goodbye') {
      this.#end(toEndError(message));
      return offset;
    }
    if (path !== this.#path) return offset;
    this.#heartbeat.heard();
    switch (message.kind) {
      case 'data':
        return this.#receiveData(message.bytes, offset);
      case 'ack':
        this.#outgoing.acknowledge(message.received);
        this.#goOn();
        return offset;
      case 'ping':
        // A path that is full shows by itself that we live.
        if (!this.#isPathFull) this.#isPathFull = !path.sendMessage(PONG);
        return offset;
      case 'pong':
        this.#heartbeat.answered();
        return offset;
      case 'datagram':
        this.receiveDatagram(message.bytes);
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
    this.#sendAck();
    this.#goOn();
  }

  /** The path has ended. */
  lost(path: Path): void {
    if (path === this.#lastPath) this.#closed.resolve();
    if (path !== this.#path || this.#failure !== undefined) return;
    this.#path = undefined;
    this.#awaitPath();
    this.#options.onPathLost();
  }

  /** Asks for a sign of life at once: there is reason to doubt the path. */
  checkPath(): void {
    if (this.#path !== undefined) this.#heartbeat.check();
  }

  /** Ends the connection and tells the peer why, if a path is there, behind all that was handed over before. */
  end(reason: Goodbye): void {
    const path = this.#path;
    if (path !== undefined) {
      while (!this.#outgoing.isAllSent) path.send(DATA_TAG, this.#outgoing.next(MAX_DATA_BYTES));
      path.sendMessage(encodeGoodbye(reason));
    }
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
      takeTurn: (send) => this.#turns.take(send),
      sendDatagram: (bytes) => this.#sendDatagram(streamId, bytes),
      unread: this.#unread,
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

  /** Takes bytes of the multiplexer, and sends what the path can take at once. */
  #accept(chunks: readonly Uint8Array[]): void {
    if (this.#failure !== undefined) return;
    this.#outgoing.append(chunks);
    // What one message of the peer has us answer leaves together.
    if (!this.#isReceiving) this.#pump();
  }

  #pump(): void {
    const path = this.#path;
    while (path !== undefined && !this.#isPathFull && !this.#outgoing.isAllSent) {
      this.#isPathFull = !path.send(DATA_TAG, this.#outgoing.next(MAX_DATA_BYTES));
    }
  }

  /** There may be room again: on the path, or as the peer has received more. */
  #goOn(): void {
    this.#pump();
    this.#turns.serve();
  }

  #receiveData(bytes: Uint8Array, offset: number): number {
    const fresh = this.#incoming.take(bytes, offset);
    if (fresh.byteLength > 0) this.#multiplex(fresh);
    this.#incoming.scheduleTelling();
    return offset + bytes.byteLength;
  }

  #multiplex(bytes: Uint8Array): void {
    this.#isReceiving = true;
    try {
      this.#mux.receive(bytes);
    } finally {
      this.#isReceiving = false;
    }
    if (this.#outgoing.isOverfull) {
      throw new LatentError('STREAM_CLOSED', 'The peer asks for ever more and takes nothing of it in.');
    }
    this.#goOn();
  }

  #sendAck(): void {
    this.#incoming.stop();
    const path = this.#path;
    // On a path that is full it waits: a peer that reads nothing must not have us keep ever more for it.
    if (path === undefined || this.#isPathFull || !this.#incoming.mustTell) return;
    this.#incoming.told(this.received);
    this.#isPathFull = !path.sendMessage(encodeAck(this.received));
  }

  /**
   * The dialler drops the path before. The other side waits for that: were it quicker, the dialler would take its path for lost before it
   * has heard of the new one, and look for another.
   */
  #leave(before: Path): void {
    if (this.#options.isInitiator) before.destroy();
    else after(this.#options.times.pathTimeoutMs, () => before.destroy());
  }

  #drop(): void {
    const path = this.#path;
    if (path === undefined) return;
    path.destroy();
    this.lost(path);
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
    this.#heartbeat.stop();
    this.#incoming.stop();
    this.#stopResumeTimer?.();
    this.#turns.clear();
    this.#mux.abort(error);
    const path = this.#path;
    this.#path = undefined;
    // A goodbye that was just written still leaves; everything else is dropped.
    if (path !== undefined && path === lastPath) {
      this.#lastPath = path;
      path.end();
    } else {
      path?.destroy();
      this.#closed.resolve();
    }
    this.#options.onEnded(error);
  }
}

function toEndError({ code, message }: Goodbye): LatentError {
  const text = `The peer ended the connection (${code.slice(0, 64)}): ${message}`;
  return new LatentError('STREAM_CLOSED', text, { details: { code } });
}
