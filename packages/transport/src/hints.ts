/** Hints beyond these are not looked at: an ask of a stranger must not make us knock on a thousand doors. */
export const MAX_HINTS = 8;
const MAX_HINT_CHARS = 300;
const UDP_HINT = /^udp:\/\/(.+)$/;
const BOOK_HINT = /^book\+(https?:\/\/[^\s]+)$/;

/** What the hints of a peer say, each in order of preference. */
export interface ParsedHints {
  /** `host:port` or `[host]:port` of UDP sockets that can be reached as they are. */
  readonly udp: readonly string[];
  /** URLs of books that the peer has a link to. */
  readonly books: readonly string[];
}

/** Hints of other kinds are for other transports, and left alone. */
export function parseHints(hints: readonly string[]): ParsedHints {
  const udp: string[] = [];
  const books: string[] = [];
  for (const hint of hints.slice(0, MAX_HINTS)) {
    if (hint.length > MAX_HINT_CHARS) continue;
    const address = UDP_HINT.exec(hint)?.[1];
    if (address !== undefined) udp.push(address);
    const book = BOOK_HINT.exec(hint)?.[1];
    if (book !== undefined && URL.canParse(book)) books.push(book);
  }
  return { udp, books };
}

export function udpHint(address: string): string {
  return `udp://${address}`;
}

/** @param bookUrl `http://…` or `https://…` */
export function bookHint(bookUrl: string): string {
  return `book+${bookUrl}`;
}
