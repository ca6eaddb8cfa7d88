import {
  errorBodySchema,
  LatentError,
  MAX_WATCH_ANSWER_BYTES,
  type PaperTaken,
  paperTakenSchema,
  type SignedClose,
  type SignedVoucher,
} from '@latent/protocol';

const TIMEOUT_MS = 10_000;

/** What is handed to watchtowers and keepers. Both are signed: whoever has them can only have us paid. */
export type Paper =
  | { readonly kind: 'vouchers'; readonly content: SignedVoucher }
  | { readonly kind: 'closes'; readonly content: SignedClose };

/**
 * Hands a paper to a watchtower or keeper. It is on its disk when this resolves.
 * @throws LatentError WATCH_UNREACHABLE, MESSAGE_INVALID, CANCELLED, and the code that it was refused with
 */
export async function handPaper(url: string, { kind, content }: Paper, signal: AbortSignal): Promise<PaperTaken> {
  const answer = await post(new URL(`/v1/${kind}`, url), toJson(content), signal);
  const taken = paperTakenSchema.safeParse(answer);
  if (taken.success) return taken.data;
  const refused = errorBodySchema.safeParse(answer);
  if (refused.success) throw LatentError.fromBody(refused.data);
  throw new LatentError('MESSAGE_INVALID', `${new URL(url).origin} does not answer as a watchtower or keeper does.`);
}

async function post(url: URL, body: string, signal: AbortSignal): Promise<unknown> {
  try {
    const response = await fetch(url, {
      ...{ method: 'POST', body, headers: { 'content-type': 'application/json' }, redirect: 'error' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const text = await readBounded(response);
    return parseJson(text);
  } catch (cause) {
    signal.throwIfAborted();
    throw new LatentError('WATCH_UNREACHABLE', `${url.origin} does not answer.`, { cause });
  }
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_WATCH_ANSWER_BYTES) throw new RangeError(`an answer of more than ${MAX_WATCH_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schemas say what is wrong with undefined.
    return undefined;
  }
}

function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item));
}
