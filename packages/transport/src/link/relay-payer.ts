import type { BookLinkMessage, PeerLinkMessage } from '@latent/protocol';

/** What a book says on payment for what it relays; and what a link tells of itself, where that bears on it. */
export type RelayWord =
  | Extract<BookLinkMessage, { kind: 'allowance' | 'relayed' | 'unpaid' | 'claimed' }>
  /** A link is there, anew or again: the book may have to be shown a lease. */
  | { readonly kind: 'linked'; readonly freeRelayBytes: number }
  /** The book carries nothing more for us: what is free is used up, and nothing pays for more. */
  | { readonly kind: 'cut' };

/** What a peer says on payment. */
export type RelayPayment = Extract<PeerLinkMessage, { kind: 'pay' | 'claim' }>;

/** Who pays for what books relay on channels that we open. Its methods must not throw. */
export interface RelayPayer {
  /** What books say on payment. Missing: they are told that nobody here pays. */
  onWord?(bookUrl: string, word: RelayWord): void;
  /** Bytes that a book has just relayed on channels that we opened, either way, by our own count. */
  onRelayed(bookUrl: string, bytes: number): void;
}
