import type { Clock } from '@latent/kit';
import { type AskId, asksAnswerSchema, LatentError, MAX_ASKS_PER_ANSWER } from '@latent/protocol';

export interface AwaitAsksOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const WITHIN_MS = 60_000;
const POLL_MS = 50;
const REQUEST_LIMIT_MS = 5_000;

/**
 * Resolves when a book lists all these asks with their agents connected: only then does it match orders to them.
 * @throws LatentError DEVNET_FAILED when it still does not after a minute
 */
export async function awaitAsks(
  book: string,
  asks: readonly AskId[],
  { clock, signal }: AwaitAsksOptions,
): Promise<void> {
  const deadline = clock.nowMs() + WITHIN_MS;
  for (;;) {
    const present = await presentAsks(book, signal);
    const missing = asks.filter((ask) => !present.has(ask));
    if (missing.length === 0) return;
    if (clock.nowMs() >= deadline) {
      throw new LatentError(
        'DEVNET_FAILED',
        `The book at ${book} still lacks ${missing.length} of ${asks.length} asks.`,
        {
          hint: 'The log of the book, and those of the agents, say why.',
          details: { book, missing },
        },
      );
    }
    await clock.sleep(POLL_MS, { signal });
  }
}

async function presentAsks(book: string, signal: AbortSignal): Promise<ReadonlySet<AskId>> {
  const url = new URL(`/v1/asks?offset=0&limit=${MAX_ASKS_PER_ANSWER}`, book);
  try {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(REQUEST_LIMIT_MS)]);
    const answer = await fetch(url, { signal: limited });
    const { asks } = asksAnswerSchema.parse(await answer.json());
    return new Set(asks.filter(({ present }) => present).map(({ id }) => id));
  } catch (cause) {
    signal.throwIfAborted();
    throw new LatentError('DEVNET_FAILED', `The book at ${book} does not tell its asks.`, { details: { book }, cause });
  }
}
