/**
 * The strictest content security policy that a page can have which speaks to agents: its own scripts, WASM, and the books that it is for.
 * @param books origins
 */
export function pagePolicy(books: readonly string[]): string {
  const links = books.map((book) => book.replace(/^http/, 'ws'));
  return `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ${[...books, ...links].join(' ')}`;
}
