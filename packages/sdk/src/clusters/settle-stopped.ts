import { LatentError } from '@latent/protocol';
import { finalizeLease } from '../leases/end-lease.ts';
import { leaseHistory } from '../leases/lease-history.ts';
import { readChainTime } from '../leases/read-chain-time.ts';
import { readLease } from '../leases/read-lease.ts';
import { type ClusterContext, toPhase, waitingForChain } from './cluster-context.ts';
import type { ClusterRecord } from './cluster-record.ts';

/**
 * Gets the rest of the deposit back from a lease that was stopped, once its closing window has passed. Agents do so too; a
 * renter whose operators have all vanished has to do it itself.
 * @throws LatentError LEASE_WINDOW_OPEN (how long it still is), LEASE_NOT_SETTLED
 */
export async function settleStopped(
  context: Pick<ClusterContext, 'name' | 'journal' | 'chain' | 'renter' | 'signal'>,
): Promise<ClusterRecord> {
  const { chain, journal, name, renter } = context;
  const { leaseId, terms, voucher } = journal.load(name);
  const lease = await waitingForChain(context, () => readLease(chain, leaseId));
  if (lease.state === 'active') {
    const nowSeconds = await waitingForChain(context, () => readChainTime(chain));
    const leftSeconds = lease.stopAt + terms.order.closeWindow - nowSeconds;
    if (leftSeconds >= 0) {
      throw new LatentError(
        'LEASE_WINDOW_OPEN',
        `${name} is stopped, and its closing window passes in ${Math.ceil(leftSeconds / 60)} min.`,
        {
          hint: 'The rest of the deposit comes back after it; nothing more is paid.',
          details: { leaseId, leftSeconds },
        },
      );
    }
    const { paidUnits, changed } = await waitingForChain(context, () => leaseHistory(chain, leaseId));
    await finalizeLease(chain, { account: renter, terms, changed, paidUnits, voucher: voucher ?? undefined });
  }
  return toPhase(context, 'ended', 'the lease is closed');
}
