import {
  errorBodySchema,
  LatentError,
  MAX_WATCH_ANSWER_BYTES,
  paperTakenSchema,
  toLatentError,
} from '@latent/protocol';
import { toJson } from '../to-json.ts';
import type { PaidLease } from './paid-leases.ts';
import type { RelayContext } from './relay-context.ts';

const TIMEOUT_MS = 10_000;

/** What one keeper has, as far as it has said so: signatures, by lease and kind. Forgotten with the process, which does no harm. */
export type Handed = Map<string, string>;

/**
 * Hands each lease's newest voucher and its claim to the keepers, who bring them to the chain: the book itself sends no transaction. One
 * that does not answer is tried again the next time.
 */
export async function handOnPapers(context: RelayContext, handed: ReadonlyMap<string, Handed>): Promise<void> {
  await Promise.all([...handed].map(([url, has]) => handTo(context, url, has)));
}

async function handTo(context: RelayContext, url: string, has: Handed): Promise<void> {
  const all = context.leases.all();
  const known = new Set(all.flatMap(papersOf).map(({ id }) => id));
  for (const id of has.keys()) if (!known.has(id)) has.delete(id);
  for (const { id, path, paper } of all.flatMap(papersOf)) {
    if (context.signal.aborted) return;
    if (has.get(id) === paper.signature) continue;
    try {
      await post(new URL(path, url), toJson(paper), context.signal);
      has.set(id, paper.signature);
    } catch (thrown) {
      const { code, message } = toLatentError(thrown);
      context.logger.warn({ keeper: new URL(url).origin, code, error: message }, 'a keeper has not taken it');
      // It has seen too little of the chain for one lease; or it does not answer at all.
      if (code === 'WATCH_UNREACHABLE') return;
    }
  }
}

function papersOf({ leaseId, voucher, claim }: PaidLease) {
  const last = { id: `voucher ${leaseId}`, path: '/v1/vouchers', paper: voucher };
  return claim === null ? [last] : [last, { id: `claim ${leaseId}`, path: '/v1/closes', paper: claim }];
}

async function post(url: URL, body: string, signal: AbortSignal): Promise<void> {
  const answer = await send(url, body, signal).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new LatentError('WATCH_UNREACHABLE', `${url.origin} does not answer.`, { cause });
  });
  if (paperTakenSchema.safeParse(answer).success) return;
  const refused = errorBodySchema.safeParse(answer);
  if (refused.success) throw LatentError.fromBody(refused.data);
  throw new LatentError('MESSAGE_INVALID', `${url.origin} does not answer as a keeper does.`);
}

async function send(url: URL, body: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, {
    ...{ method: 'POST', body, headers: { 'content-type': 'application/json' }, redirect: 'error' },
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_WATCH_ANSWER_BYTES) throw new RangeError(`an answer of more than ${MAX_WATCH_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}
