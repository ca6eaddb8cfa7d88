import { randomBytes, randomInt } from 'node:crypto';
import { LatentError } from '@latent/protocol';
import type { EncryptedStream } from '@latent/transport';
import type { Tally } from './exercise.ts';

const MAX_BYTES = 4 * 1024;
const LOOK_MS = 5;

/** A stream that is opened once and has to outlive everything. */
export interface LastingStream {
  /** Sends something, and has to get the same back. */
  echo(): Promise<void>;
}

/** Also counts the paths that come after another one was lost, as far as looking every few milliseconds shows them. */
export function keepStream(stream: EncryptedStream, tally: Tally): LastingStream {
  const messages = stream.messages()[Symbol.asyncIterator]();
  let hadRoute = true;
  setInterval(() => {
    const hasRoute = stream.route !== undefined;
    if (hasRoute && !hadRoute) tally.resumed += 1;
    hadRoute = hasRoute;
  }, LOOK_MS).unref();
  return {
    echo: async () => {
      const sent = randomBytes(randomInt(1, MAX_BYTES));
      await stream.send(sent);
      const next = await messages.next();
      if (next.done === true || !sent.equals(next.value)) {
        throw new LatentError('INTERNAL', 'What came back on a lasting stream is not what was sent.');
      }
      tally.echoes += 1;
    },
  };
}
