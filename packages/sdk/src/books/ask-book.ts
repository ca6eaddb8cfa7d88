import {
  type ErrorBody,
  errorBodySchema,
  LatentError,
  MAX_BOOK_ANSWER_BYTES,
  type MatchAnswer,
  matchAnswerSchema,
  type Requirements,
} from '@latent/protocol';
import { readBounded } from './read-bounded.ts';

const BOOK_TIMEOUT_MS = 10_000;

/**
 * Sends an order to one book. The answer fits its schema and nothing more: signatures and prices are yet to be checked.
 * @param bookUrl e.g. `http://127.0.0.1:7001`
 * @throws LatentError BOOK_UNREACHABLE, MESSAGE_TOO_LARGE, MESSAGE_INVALID, or what the book refused with
 */
export async function askBook(bookUrl: string, requirements: Requirements, signal: AbortSignal): Promise<MatchAnswer> {
  const body = JSON.stringify({ requirements }, (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
  const { status, text } = await post(new URL('/v1/orders', bookUrl), body, signal);
  const json = parseJson(bookUrl, text);
  if (status !== 200) throw refusal(bookUrl, status, json);
  const answer = matchAnswerSchema.safeParse(json);
  if (!answer.success) {
    throw new LatentError(
      'MESSAGE_INVALID',
      `The answer of book ${bookUrl} does not fit: ${answer.error.issues[0]?.message ?? 'unknown'}.`,
      {
        details: { book: bookUrl, field: answer.error.issues[0]?.path.join('.') ?? '' },
      },
    );
  }
  return answer.data;
}

async function post(
  url: URL,
  body: string,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(BOOK_TIMEOUT_MS)]),
    });
    return { status: response.status, text: await readBounded(response, MAX_BOOK_ANSWER_BYTES) };
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof LatentError) throw thrown;
    throw new LatentError('BOOK_UNREACHABLE', `Book ${url.origin} does not answer.`, {
      hint: 'Another book can serve the same order.',
      details: { book: url.origin },
      cause: thrown,
    });
  }
}

function parseJson(bookUrl: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new LatentError('MESSAGE_INVALID', `The answer of book ${bookUrl} is not JSON.`, {
      details: { book: bookUrl },
      cause: thrown,
    });
  }
}

function refusal(bookUrl: string, status: number, json: unknown): LatentError {
  const body = errorBodySchema.safeParse(json);
  const known: ErrorBody = body.success
    ? body.data
    : { code: 'BOOK_UNREACHABLE', message: `Book ${bookUrl} answered with HTTP status ${status}.`, retry: 'later' };
  return LatentError.fromBody(known);
}
