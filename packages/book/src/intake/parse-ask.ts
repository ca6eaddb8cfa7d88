import { LatentError, type SignedAsk, signedAskSchema } from '@latent/protocol';

/** Longest that an ask may still be valid when it comes in. Agents sign anew every day; nothing has to be kept for years. */
export const MAX_ASK_SECONDS = 7 * 86_400;

/**
 * @throws LatentError ASK_OUT_OF_RANGE if it is a signed ask but for a value that the protocol does not allow,
 * MESSAGE_INVALID if it is none
 */
export function parseAsk(value: unknown, nowSeconds: number): SignedAsk {
  const parsed = signedAskSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.path.join('.') ?? '';
    const isInside = issue?.path[0] === 'ask' || issue?.path[0] === 'resource';
    throw new LatentError(
      isInside && issue.path.length > 1 ? 'ASK_OUT_OF_RANGE' : 'MESSAGE_INVALID',
      `${field === '' ? 'The message' : `The field ${field}`} is not that of an ask: ${issue?.message ?? 'unknown'}.`,
      { details: { field } },
    );
  }
  const { validUntil } = parsed.data.ask;
  if (validUntil > nowSeconds + MAX_ASK_SECONDS) {
    throw new LatentError('ASK_OUT_OF_RANGE', `The ask is valid until ${validUntil}, more than seven days from now.`, {
      hint: 'Sign asks for a day and renew them.',
      details: { field: 'ask.validUntil', validUntil },
    });
  }
  return parsed.data;
}
