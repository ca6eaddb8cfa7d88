import { type EscrowDomain, pricePerGibUp, type SignedAsk, toLatentError } from '@latent/protocol';
import { readRelayOffer } from '@latent/sdk';

const BOOK_HINT = 'book+';
const MAX_BOOKS = 8;
const TIMEOUT_MS = 3_000;

/** What one book asks for relaying; for people. */
export interface RelayPrice {
  readonly book: string;
  /** Base units; undefined where it relays nothing for payment. */
  readonly perGib: bigint | undefined;
  /** Why it is not known, if it is not. */
  readonly fault: string | undefined;
}

/** What the books that may relay to these machines ask for it. Never rejects but with the signal's reason. */
export async function findRelayOffers(
  asks: readonly Pick<SignedAsk, 'resource'>[],
  from: { readonly domain: EscrowDomain; readonly nowSeconds: number; readonly signal: AbortSignal },
): Promise<readonly RelayPrice[]> {
  const hints = asks.flatMap(({ resource }) => resource.hints).filter((hint) => hint.startsWith(BOOK_HINT));
  const books = [...new Set(hints.map((hint) => hint.slice(BOOK_HINT.length)))].filter((book) => URL.canParse(book));
  const signal = AbortSignal.any([from.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  return Promise.all(
    books.slice(0, MAX_BOOKS).map(async (book): Promise<RelayPrice> => {
      try {
        const offer = await readRelayOffer(book, { ...from, signal });
        return { book, perGib: offer && pricePerGibUp(offer.ask.rate), fault: undefined };
      } catch (thrown) {
        from.signal.throwIfAborted();
        return { book, perGib: undefined, fault: toLatentError(thrown).message };
      }
    }),
  );
}
