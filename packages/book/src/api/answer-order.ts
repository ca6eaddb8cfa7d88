import {
  type Candidate,
  hourlyFromRateUp,
  type ListedAsk,
  MAX_ASKS_PER_ANSWER,
  MAX_BOOK_ANSWER_BYTES,
  type MatchAnswer,
  matchOrder,
  type Requirements,
} from '@latent/protocol';
import { type BookContext, nowSeconds } from '../book-context.ts';
import type { KeptAsk } from '../store/kept-asks.ts';
import { toJson } from '../to-json.ts';

type Listing = Pick<BookContext, 'kept' | 'roster' | 'clock'>;

/** What is left of an answer for the asks themselves, next to ids, refusals and relaxations. */
const MAX_ASKS_BYTES = MAX_BOOK_ANSWER_BYTES - 512 * 1024;

/**
 * Matches an order and answers with the asks considered, those taken first, then what comes nearest to the order; as many
 * as an answer can hold. A client that matches the same asks has to come to the same choice.
 */
export function answerOrder(listing: Listing, requirements: Requirements): MatchAnswer {
  const { chosen, spares, refusals, relaxations } = matchOrder(requirements, candidates(listing));
  const order = new Set([...chosen, ...spares].map(({ id }) => id).concat(refusals.map(({ ask }) => ask)));
  const asks = capped([...order].flatMap((id) => listed(listing, listing.kept.find(id))));
  const shown = new Set(asks.map(({ id }) => id));
  return {
    asks,
    chosen: chosen.map(({ id }) => id),
    spares: spares.map(({ id }) => id),
    refusals: refusals.filter(({ ask }) => shown.has(ask)),
    relaxations: [...relaxations],
  };
}

/** All asks that are served, cheapest first, from `offset` on; as many as asked for and as an answer can hold. */
export function listAsks(
  listing: Listing,
  page: { readonly offset: number; readonly limit: number },
): { readonly asks: readonly ListedAsk[]; readonly total: number } {
  const served = servedAsks(listing).sort(byPrice);
  const wanted = served.slice(page.offset, page.offset + page.limit);
  return { asks: capped(wanted.flatMap((kept) => listed(listing, kept))), total: served.length };
}

function servedAsks({ kept, clock }: Listing): KeptAsk[] {
  const now = nowSeconds(clock);
  return kept.all().filter(({ verified, signed }) => verified && signed.ask.validUntil > now);
}

function candidates(listing: Listing): Candidate[] {
  return servedAsks(listing).map((kept) => ({
    id: kept.id,
    ask: kept.signed.ask,
    resource: kept.signed.resource,
    ...presenceOf(listing, kept),
  }));
}

function presenceOf({ roster }: Listing, { id, signed }: KeptAsk): Pick<Candidate, 'present' | 'freeDevices'> {
  const seat = roster.of(signed.ask.agentKey);
  const { devices } = signed.ask;
  return { present: seat?.affirmed.has(id) ?? false, freeDevices: Math.min(devices, seat?.freeDevices ?? devices) };
}

function listed(listing: Listing, kept: KeptAsk | undefined): ListedAsk[] {
  if (kept === undefined) return [];
  const { id, signed } = kept;
  const pricePerDeviceHour = hourlyFromRateUp(signed.ask.rate).toString();
  return [{ id, signed, ...presenceOf(listing, kept), pricePerDeviceHour }];
}

function capped(asks: readonly ListedAsk[]): ListedAsk[] {
  let bytes = 0;
  return asks.slice(0, MAX_ASKS_PER_ANSWER).filter((ask) => {
    bytes += Buffer.byteLength(toJson(ask)) + 1;
    return bytes <= MAX_ASKS_BYTES;
  });
}

function byPrice({ id, signed: { ask } }: KeptAsk, other: KeptAsk): number {
  if (ask.rate !== other.signed.ask.rate) return ask.rate < other.signed.ask.rate ? -1 : 1;
  return id < other.id ? -1 : 1;
}
