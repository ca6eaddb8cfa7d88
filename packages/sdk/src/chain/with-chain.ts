import { setTimeout as sleep } from 'node:timers/promises';
import type { LatentError } from '@latent/protocol';
import { toChainError } from './chain-error.ts';

export interface WithChainOptions {
  readonly signal: AbortSignal;
  /** Called each time the chain did not answer and it is tried again after `nextTryMs`. */
  readonly onWaiting?: (error: LatentError, nextTryMs: number) => void;
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;

/**
 * Runs a chain call; while the chain does not answer, waits and tries again until `signal` aborts. Anything but
 * CHAIN_UNREACHABLE is thrown at once.
 * The call must be safe to repeat: a read, or a transaction whose effect is checked before it is sent again.
 */
export async function withChain<T>(call: () => Promise<T>, { signal, onWaiting }: WithChainOptions): Promise<T> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (thrown) {
      const error = toChainError(thrown);
      if (error.code !== 'CHAIN_UNREACHABLE') throw error;
      onWaiting?.(error, waitMs);
      await sleep(waitMs, undefined, { signal });
    }
  }
}
