import {
  LatentError,
  memberCharge,
  RELAY_UNIT_BYTES,
  recoverClose,
  type SignedClose,
  toLatentError,
} from '@latent/protocol';
import { withChain } from '../chain/with-chain.ts';
import { closeLease, stopLease } from '../leases/end-lease.ts';
import { leaseHistory } from '../leases/lease-history.ts';
import { readChainTime } from '../leases/read-chain-time.ts';
import { readLease } from '../leases/read-lease.ts';
import type { RelayDeskContext } from './relay-desk-context.ts';
import type { RelayLease } from './relay-lease.ts';

/**
 * Closes a lease with the book's claim: pays, and gets the rest back. Without a good claim the lease is stopped, and the rest comes back
 * after the closing window.
 * @param claim what the book has signed; undefined if it did not answer
 * @throws LatentError those of the chain, but for one that is down, which is waited for
 */
export async function closeRelayLease(
  context: RelayDeskContext,
  lease: RelayLease,
  claim: SignedClose | undefined,
): Promise<RelayLease> {
  const { account, chain, journal, signal } = context;
  const { leaseId, terms, voucher } = lease;
  const rate = terms.members[0]?.rate ?? 0n;
  const keep = (known: RelayLease) => {
    journal.save(known);
    return known;
  };
  const { state } = await withChain(() => readLease(chain, leaseId), { signal });
  if (state === 'closed') return keep({ ...lease, phase: 'closed', charged: await chargedFor(context, lease) });
  try {
    if (claim === undefined) throw new LatentError('LEASE_NOT_SETTLED', 'The book has not signed what it claims.');
    await checkClaim(context, lease, claim);
    const { paidUnits } = await withChain(() => leaseHistory(chain, leaseId), { signal });
    const row = { account, terms, paidUnits, voucher: voucher ?? undefined, closes: [claim] };
    const sent = await withChain(() => closeLease(chain, row), { signal });
    journal.tell({ kind: 'transaction', text: `close (relay): ${sent.hash}` });
    const usedBytes = Math.max(lease.usedBytes, Number(claim.units) * RELAY_UNIT_BYTES);
    return keep({ ...lease, phase: 'closed', usedBytes, charged: memberCharge(claim.units, rate) });
  } catch (thrown) {
    signal.throwIfAborted();
    const { state: now } = await withChain(() => readLease(chain, leaseId), { signal });
    if (now === 'closed') return keep({ ...lease, phase: 'closed', charged: await chargedFor(context, lease) });
    const text = `the relay lease was not closed together: ${toLatentError(thrown).message}`;
    journal.tell({ kind: 'warning', text });
    const nowSeconds = await withChain(() => readChainTime(chain), { signal });
    // One that has reached its end has stopped by itself.
    if (nowSeconds < lease.openedAt + terms.order.maxSeconds) {
      await withChain(() => stopLease(chain, account, terms), { signal });
    }
    return keep({ ...lease, phase: 'stopped' });
  }
}

async function chargedFor({ chain, signal }: RelayDeskContext, { leaseId }: RelayLease): Promise<bigint> {
  return (await withChain(() => leaseHistory(chain, leaseId), { signal })).closed?.charged ?? 0n;
}

async function checkClaim({ chain }: RelayDeskContext, lease: RelayLease, claim: SignedClose): Promise<void> {
  const isOwn = claim.leaseId === lease.leaseId && claim.member === 0;
  const signer = isOwn ? await recoverClose(chain.domain, claim) : undefined;
  if (signer === undefined || signer !== lease.terms.members[0]?.agentKey) {
    throw new LatentError('LEASE_NOT_SETTLED', 'The book signed a claim for something else.');
  }
  const covered = lease.voucher?.units[0] ?? 0n;
  if (claim.units <= covered) return;
  throw new LatentError('LEASE_NOT_SETTLED', `It claims ${claim.units} MiB; ${covered} were signed for.`);
}
