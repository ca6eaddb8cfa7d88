import { withChain } from '../chain/with-chain.ts';
import { finalizeLease, stopLease } from '../leases/end-lease.ts';
import { leaseHistory } from '../leases/lease-history.ts';
import { readChainTime } from '../leases/read-chain-time.ts';
import { readLease } from '../leases/read-lease.ts';
import type { RelayDeskContext } from './relay-desk-context.ts';
import type { RelayLease } from './relay-lease.ts';

/**
 * Sees to relay leases that a meter has left, alone and without their books: stops those that run, and gets the rest of the deposit back
 * where the closing window has passed. What the last voucher covers is paid then.
 * @returns seconds until the last of them can be settled; 0 if all are
 * @throws LatentError those of the chain, but for one that is down, which is waited for
 */
export async function settleRelayLeases(
  context: Pick<RelayDeskContext, 'account' | 'chain' | 'journal' | 'signal'>,
): Promise<number> {
  let longest = 0;
  for (const lease of context.journal.leases()) {
    if (lease.phase !== 'open' && lease.phase !== 'stopped') continue;
    longest = Math.max(longest, await settleOne(context, lease));
  }
  return longest;
}

async function settleOne(
  { account, chain, journal, signal }: Pick<RelayDeskContext, 'account' | 'chain' | 'journal' | 'signal'>,
  lease: RelayLease,
): Promise<number> {
  const { leaseId, terms, voucher } = lease;
  const { state, stopAt, openedAt } = await withChain(() => readLease(chain, leaseId), { signal });
  if (state !== 'closed') {
    const nowSeconds = await withChain(() => readChainTime(chain), { signal });
    const end = openedAt + terms.order.maxSeconds;
    const isRunning = stopAt === 0 && nowSeconds < end;
    if (isRunning) await withChain(() => stopLease(chain, account, terms), { signal });
    if (isRunning || lease.phase === 'open') journal.save({ ...lease, phase: 'stopped' });
    const ended = isRunning ? nowSeconds : stopAt === 0 ? end : Math.min(end, stopAt);
    const leftSeconds = ended + terms.order.closeWindow - nowSeconds;
    if (leftSeconds >= 0) return leftSeconds + 1;
    const { paidUnits } = await withChain(() => leaseHistory(chain, leaseId), { signal });
    await finalizeLease(chain, { account, terms, paidUnits, voucher: voucher ?? undefined });
  }
  const { closed } = await withChain(() => leaseHistory(chain, leaseId), { signal });
  journal.save({ ...lease, phase: 'closed', charged: closed?.charged ?? 0n });
  return 0;
}
