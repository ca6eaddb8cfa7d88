import { type Logger, StoreError } from '@latent/kit';
import { LatentError, toLatentError } from '@latent/protocol';

/** What a stranger may know of an error. One that was not written for strangers may hold anything: it goes to the log. */
export function publicError(thrown: unknown, logger: Logger): LatentError {
  if (thrown instanceof StoreError) {
    logger.error({ error: thrown }, 'the store failed');
    return new LatentError('STORE_FAILED', 'The book could not store it.', { hint: 'Try again later.' });
  }
  const error = toLatentError(thrown);
  if (error.code !== 'INTERNAL') return error;
  logger.error({ error: thrown }, 'a message could not be handled');
  return new LatentError('INTERNAL', 'The book failed to handle it.');
}
