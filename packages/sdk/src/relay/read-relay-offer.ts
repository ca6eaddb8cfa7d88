import {
  checkRelayAsk,
  type EscrowDomain,
  LatentError,
  type RelayAnswer,
  relayAnswerSchema,
  type SignedRelayAsk,
} from '@latent/protocol';
import { readBounded } from '../books/read-bounded.ts';

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 16 * 1024;

/** What a book says of relaying for payment; nothing of it is checked but its shape. @throws LatentError BOOK_UNREACHABLE, MESSAGE_INVALID */
export async function askRelay(bookUrl: string, signal: AbortSignal): Promise<RelayAnswer> {
  const url = new URL('/v1/relay', bookUrl);
  const text = await read(url, signal).catch((thrown: unknown) => {
    signal.throwIfAborted();
    if (thrown instanceof LatentError) throw thrown;
    throw new LatentError('BOOK_UNREACHABLE', `Book ${url.origin} does not answer.`, { cause: thrown });
  });
  const answer = relayAnswerSchema.safeParse(parseJson(text));
  if (answer.success) return answer.data;
  throw new LatentError('MESSAGE_INVALID', `Book ${url.origin} does not say what it relays for.`);
}

/**
 * A book's offer to relay beyond what is free, signed by its relay's key.
 * @returns undefined where it relays nothing for payment
 * @throws LatentError BOOK_UNREACHABLE, MESSAGE_INVALID, and those of `checkRelayAsk`
 */
export async function readRelayOffer(
  bookUrl: string,
  {
    domain,
    nowSeconds,
    signal,
  }: { readonly domain: EscrowDomain; readonly nowSeconds: number; readonly signal: AbortSignal },
): Promise<SignedRelayAsk | undefined> {
  const { offer } = await askRelay(bookUrl, signal);
  if (offer === null) return undefined;
  await checkRelayAsk(domain, offer, nowSeconds);
  return offer;
}

async function read(url: URL, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  return readBounded(response, MAX_ANSWER_BYTES);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema says what is wrong with undefined.
    return undefined;
  }
}
