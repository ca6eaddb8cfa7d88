import type { LatentError, PeerKey } from '@latent/protocol';
import type { RelayPayment } from './link/relay-payer.ts';
import type { Route } from './paths/path.ts';

/** Largest message on a stream, in bytes. Longer data is sent as several messages. */
export const MAX_MESSAGE_BYTES = 256 * 1024;

/** Who to reach: a key, and hints where it might be found. The key is what counts; hints may be empty or wrong. */
export interface PeerAddress {
  readonly key: PeerKey;
  /** `udp://host:port`, `book+https://host`, `tcp://host:port`, in order of preference. Each transport takes those it understands. */
  readonly hints: readonly string[];
}

/**
 * An authenticated, encrypted, ordered stream of messages between two keys. Message boundaries are kept.
 * The peer's host sees neither content nor may it alter it unseen; the peer itself sees everything.
 */
export interface EncryptedStream {
  /** The key the peer proved. */
  readonly remoteKey: PeerKey;
  /**
   * Sends one message of at most {@link MAX_MESSAGE_BYTES}. Resolves when it was handed to the network and there is room for
   * the next one (back-pressure): await it before the next send, and leave the bytes alone until then.
   * @throws LatentError MESSAGE_TOO_LARGE, STREAM_CLOSED (broken, or our side has ended)
   */
  send(message: Uint8Array): Promise<void>;
  /**
   * Messages in order until the peer ends its side. Iterate once; leaving the loop early destroys the stream.
   * An end is authenticated: a connection that was merely cut throws, it never looks like an end.
   * @throws LatentError STREAM_CLOSED (the stream broke), MESSAGE_TOO_LARGE (the peer sent more than the limit)
   */
  messages(): AsyncIterable<Uint8Array>;
  /**
   * Ends our side; what was sent still arrives, and the peer may go on sending.
   * @throws LatentError STREAM_CLOSED (the stream broke before)
   */
  end(): Promise<void>;
  /** Drops the stream at once, both sides. Never throws. */
  destroy(): void;
  /**
   * Sends at most MAX_DATAGRAM_BYTES beside the messages: encrypted like these and never held up by them, but they may be lost or
   * overtake each other. None arrives twice. What arrives for a stream that nobody listens to is lost.
   * @returns false when it was not sent: too long, no path, or the way is full
   */
  sendDatagram(bytes: Uint8Array): boolean;
  /** Listens to the peer's datagrams; one listener. */
  onDatagram(listener: (bytes: Uint8Array) => void): void;
  /** The way that the bytes take at present; undefined while another one is looked for. */
  readonly route: Route | undefined;
  /** Settles when both sides have ended or the stream broke. Never rejects. */
  readonly closed: Promise<void>;
}

export interface Listener {
  /** Hints that peers can dial, for the ask. */
  readonly hints: readonly string[];
  /** The port that is bound; 0 where there is none. */
  readonly port: number;
  /** Settles when each of the hints leads here, or has failed to for the first time. Never rejects. */
  readonly settled: Promise<void>;
  /** Stops accepting and drops open streams. */
  close(): Promise<void>;
}

/** A stream or path that was not let in. */
export interface RefusedConnection {
  readonly remoteAddress: string;
  readonly error: LatentError;
}

/**
 * Reaches peers by key. Implementations: `peer` (UDP through NATs, or relayed by a book) and `tcp` (for those with a port that can be
 * reached). Nothing here assumes that a peer can be dialled directly.
 */
export interface Transport {
  /** Our own key. */
  readonly key: PeerKey;
  /**
   * @throws LatentError PEER_UNREACHABLE (no hint led to the peer), PEER_WRONG_KEY (somebody else answered), CANCELLED
   */
  connect(peer: PeerAddress, options: { readonly signal: AbortSignal }): Promise<EncryptedStream>;
  /**
   * Accepts streams. `onStream` is called after the peer proved its key; it owns the stream.
   * @throws LatentError CONFIG_INVALID (the address cannot be bound)
   */
  listen(onStream: (stream: EncryptedStream) => void, options: ListenOptions): Promise<Listener>;
  /**
   * Says what will be wanted soon, so that it is there then: links to books, connections to peers. Returns at once; what goes wrong is
   * told when it is used. What is not used is given up again.
   */
  prepare(wanted: { readonly books?: readonly string[]; readonly peers?: readonly PeerAddress[] }): void;
  /** How a peer that we dialled is reached now, and the round trip in milliseconds where it is known; undefined without a connection. */
  routeTo(key: PeerKey): (Route & { readonly roundTripMs?: number }) | undefined;
  /** Drops everything. */
  close(): Promise<void>;
}

/** One that can pay books for what they relay; what they say on it, its `payer` hears. */
export interface PayingTransport extends Transport {
  /** Says something on payment to a book, by its URL as it stands in hints. What is lost with a link is not repeated. Never throws. */
  payBook(bookUrl: string, payment: RelayPayment): void;
}

export interface ListenOptions {
  /** IP address to bind, e.g. `127.0.0.1`. */
  readonly address: string;
  /** 0 for any free port. */
  readonly port: number;
}
