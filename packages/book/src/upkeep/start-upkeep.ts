import type { BookContext } from '../book-context.ts';
import { TEND_MS } from '../peers/open-peers.ts';
import { FOLLOW_MS } from '../relay/open-paid-relay.ts';
import { runEvery } from './run-every.ts';
import { sweepExpired } from './sweep-expired.ts';
import { recheckServed, verifyPending } from './verify-asks.ts';

export const VERIFY_PENDING_MS = 3_000;
export const SWEEP_MS = 10_000;
export const RECHECK_MS = 60_000;

/** Starts what a book does by itself. @returns resolves when all of it has ended after the signal aborted */
export async function startUpkeep(context: BookContext): Promise<void> {
  const { clock, logger, signal } = context;
  const every = (periodMs: number, work: () => Promise<void>) => runEvery({ periodMs, clock, logger, signal }, work);
  await Promise.all([
    every(VERIFY_PENDING_MS, () => verifyPending(context)),
    every(SWEEP_MS, () => sweepExpired(context)),
    every(RECHECK_MS, () => recheckServed(context)),
    every(TEND_MS, async () => context.peers.tend()),
    context.paid.follow().then(() => every(FOLLOW_MS, () => context.paid.follow())),
  ]);
}
