import { toLatentError } from '@latent/protocol';
import type { WatchContext } from '../watch-context.ts';
import type { Deed, DeedEnd } from './deed-store.ts';
import { isCarriedOut } from './read-effect.ts';

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

type Desk = Pick<WatchContext, 'endpoints' | 'sender' | 'deeds' | 'domain' | 'clock' | 'logger' | 'signal'>;

/**
 * Sees one deed through to its end, from wherever an earlier life of the process left it. Its key makes sure that nothing
 * is sent twice. Resolves when it has ended, or the daemon is to end: then the next life goes on with it.
 */
export async function carryOutDeed(desk: Desk, deed: Deed): Promise<void> {
  const { endpoints, sender, domain, clock, logger, signal } = desk;
  const idempotencyKey = keyOf(deed.id);
  for (let waitMs = FIRST_WAIT_MS; !signal.aborted; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    try {
      const { by, receipt, spentWei } = await sender.send(deed.call, {
        ...{ idempotencyKey, mostWei: deed.mostWei, gas: deed.gas, signal },
        isDone: () => isCarriedOut(endpoints, domain.escrow, deed),
      });
      const hash = receipt?.transactionHash ?? null;
      finish(desk, deed, { state: by === 'us' ? 'done' : 'done-by-others', spentWei, hash, problem: null });
      return;
    } catch (thrown) {
      if (signal.aborted) return;
      const error = toLatentError(thrown);
      const sent = sender.find(idempotencyKey);
      const mayGoOn = mayBeRepeated(error.code) || (isWaiting(error.code) && (sent?.hashes.length ?? 0) > 0);
      logger.warn({ deed: deed.id, code: error.code, error: error.message, mayGoOn }, 'a deed met a difficulty');
      if (!mayGoOn) {
        const problem = `${error.code}: ${error.message}`;
        finish(desk, deed, {
          state: 'failed',
          spentWei: sent?.spentWei ?? 0n,
          hash: sent?.hashes.at(-1) ?? null,
          problem,
        });
        return;
      }
    }
    await clock.sleep(waitMs, { signal }).catch(() => undefined);
  }
}

/** Deeds that were decided on and never came to the sender: what they were for is decided on anew. */
export function dropUnsent({ deeds, sender, clock }: Pick<Desk, 'deeds' | 'sender' | 'clock'>): void {
  for (const { id } of deeds.open()) {
    if (sender.find(keyOf(id)) !== undefined) continue;
    deeds.end(id, { state: 'failed', spentWei: 0n, hash: null, problem: 'It was never sent.' }, clock.nowMs());
  }
}

function keyOf(id: number): string {
  return `deed ${id}`;
}

/** The chain, or an endpoint, could not say; the same wish again is safe. */
function mayBeRepeated(code: string): boolean {
  return ['CHAIN_UNREACHABLE', 'CHAIN_DISAGREES', 'TIMED_OUT', 'MESSAGE_INVALID', 'CANCELLED'].includes(code);
}

/** What is in the pool may still be mined, so it is not let go of. */
function isWaiting(code: string): boolean {
  return code === 'FEES_TOO_HIGH' || code === 'FUNDS_TOO_LOW';
}

function finish({ deeds, clock, logger }: Desk, deed: Deed, end: DeedEnd): void {
  deeds.end(deed.id, end, clock.nowMs());
  // Not wished for again at once.
  if (end.state === 'failed') for (const { mark } of deed.rows) deeds.markBad(mark, clock.nowMs());
  const leases = deed.rows.map(({ leaseId }) => leaseId);
  const { state, spentWei, hash, problem } = end;
  const log = state === 'failed' ? logger.error : logger.info;
  log({ deed: deed.id, kind: deed.deed, leases, state, spentWei, hash, problem }, 'a deed has ended');
}
