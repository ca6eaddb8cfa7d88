import { toLatentError } from '@latent/protocol';

/** How long a prover has to come to an end when the caller stops, before it is left alone. */
const GRACE_MS = 10_000;

/**
 * Waits for an answer, but not for ever: a prover may be silent on purpose. It is told to stop by the signal that it gets.
 * @throws LatentError CANCELLED if the caller stopped, TIMED_OUT if the time was up; whatever the work throws
 */
export async function answerWithin<T>(
  limitMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (signal.aborted) throw toLatentError(signal.reason);
  const own = new AbortController();
  const { promise: silence, reject } = Promise.withResolvers<never>();
  const end = (reason: unknown, graceMs: number) => {
    own.abort(reason);
    return setTimeout(() => reject(toLatentError(reason)), graceMs);
  };
  let grace: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    grace = end(signal.reason, GRACE_MS);
  };
  signal.addEventListener('abort', stop, { once: true });
  const limit = setTimeout(() => {
    grace = end(new DOMException(`no answer within ${limitMs} ms`, 'TimeoutError'), 0);
  }, limitMs);
  try {
    return await Promise.race([work(own.signal), silence]);
  } finally {
    clearTimeout(limit);
    clearTimeout(grace);
    signal.removeEventListener('abort', stop);
  }
}
