import { type BookContext, nowSeconds } from '../book-context.ts';

/** Drops asks that are no longer valid. Matching leaves them out by itself; this frees their room. */
export async function sweepExpired({
  kept,
  clock,
  logger,
}: Pick<BookContext, 'kept' | 'clock' | 'logger'>): Promise<void> {
  const now = nowSeconds(clock);
  const expired = kept.all().filter(({ signed }) => signed.ask.validUntil <= now);
  if (expired.length === 0) return;
  kept.drop(expired.map(({ id }) => id));
  logger.info({ asks: expired.length }, 'dropped expired asks');
}
