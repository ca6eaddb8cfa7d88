import { LatentError } from '@latent/protocol';

/** The error an aborted signal stands for: the LatentError it was aborted with, TIMED_OUT, or CANCELLED. */
export function toAbortError(signal: AbortSignal, doing: string): LatentError {
  const reason: unknown = signal.reason;
  if (reason instanceof LatentError) return reason;
  if (reason instanceof Error && reason.name === 'TimeoutError') {
    return new LatentError('TIMED_OUT', `${doing} took longer than its limit.`, { cause: reason });
  }
  return new LatentError('CANCELLED', `${doing} was stopped.`, { cause: reason });
}
