import { LatentError } from '@latent/protocol';
import type { LogRange } from './endpoints.ts';

/** One endpoint will not answer for so many blocks at once, whatever the others do: fewer may be answered. */
export class RangeRefused extends LatentError {
  constructor(endpoint: string, { from, to }: LogRange, cause: unknown) {
    super('MESSAGE_TOO_LARGE', `Endpoint ${endpoint} does not give the logs of blocks ${from} to ${to} at once.`, {
      hint: 'Ask for fewer blocks.',
      retry: 'now',
      details: { endpoint, from, to },
      cause,
    });
  }
}
