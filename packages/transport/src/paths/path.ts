import type { PeerKey } from '@latent/protocol';

/** A path that was ended is dropped after so long, whether all has left or not. */
export const MAX_ENDING_MS = 1_000;

/** The way that bytes to a peer take at present. */
export interface Route {
  /** `direct`: from machine to machine. `relayed`: through a book. */
  readonly kind: 'direct' | 'relayed';
  /** For people: `udp 203.0.113.7:4433`, `book http://book.example`. */
  readonly through: string;
}

/**
 * One encrypted way to a peer that proved its key on it. Ordered while it lasts, and it may end at any time: what outlives it is the
 * connection. Nothing between the two ends can read or alter a message unseen.
 */
export interface Path {
  readonly remoteKey: PeerKey;
  readonly route: Route;
  /**
   * Seals and sends one message: `tag`, then the parts, which are copied. At most MAX_PATH_MESSAGE_BYTES together.
   * @returns false when nothing more should be sent before `onDrain`
   */
  send(tag: number, parts: readonly Uint8Array[]): boolean;
  /** Sends a complete message, its kind in front. */
  sendMessage(message: Uint8Array): boolean;
  /** Sends bytes that may be lost, doubled or overtaken; false where the path has no way for such. */
  sendUnordered(bytes: Uint8Array): boolean;
  /** Takes over what arrives. Call it once; nothing arrives before. */
  start(listener: PathListener): void;
  /** Ends our side once all was sent, then the path: at the latest after MAX_ENDING_MS, as the other side may not want to. */
  end(): void;
  /** Drops it at once. Never throws. */
  destroy(): void;
  /** Smoothed round trip in milliseconds, where the path measures it. */
  readonly roundTripMs: number | undefined;
}

export interface PathListener {
  readonly onMessage: (message: Uint8Array) => void;
  /** What came by `sendUnordered`. */
  readonly onUnordered: (bytes: Uint8Array) => void;
  readonly onDrain: () => void;
  /** Called once, whatever ended it. */
  readonly onEnded: (cause: Error | undefined) => void;
}
