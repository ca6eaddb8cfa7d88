import { toLatentError } from '@latent/protocol';
import { nowSeconds } from '../book-context.ts';
import { claimLease } from './claim-lease.ts';
import type { PaidLease } from './paid-leases.ts';
import type { RelayContext } from './relay-context.ts';

/**
 * Looks at the chain's side of every lease: claims what was stopped, changed, or has reached its end, and forgets what is settled. A
 * chain that is down is asked again the next time. To be called more often than once a prepay: what is relayed after a stop that was
 * not seen yet is paid for by that.
 */
export async function followLeases(context: RelayContext): Promise<void> {
  await Promise.all(
    context.leases.all().map((lease) =>
      followLease(context, lease).catch((thrown: unknown) => {
        const { code, message } = toLatentError(thrown);
        context.logger.warn({ leaseId: lease.leaseId, code, error: message }, 'could not follow a lease; trying again');
      }),
    ),
  );
}

async function followLease(context: RelayContext, lease: PaidLease): Promise<void> {
  const { leaseId, openedAt, terms } = lease;
  const seen = await context.chain.read(leaseId);
  if (seen.state === 'closed') {
    context.leases.forget(lease);
    context.logger.info({ leaseId }, 'a lease that paid for relaying is settled');
    return;
  }
  lease.stopAt = seen.stopAt;
  const isOver = seen.stopAt !== 0 || seen.isChanged || nowSeconds(context.clock) >= openedAt + terms.order.maxSeconds;
  if (isOver && lease.claim === null) await claimLease(context, lease);
}
