import { LatentError } from '@latent/protocol';

/** What is thrown when the caller's signal was aborted. */
export function cancelled(signal: AbortSignal): LatentError {
  if (signal.reason instanceof LatentError) return signal.reason;
  return new LatentError('CANCELLED', 'The operation was stopped.', { cause: signal.reason });
}
