import {
  checkAttach,
  checkVoucher,
  hashOrder,
  LatentError,
  type LeaseTerms,
  type PeerKey,
  type PeerLinkMessage,
  type SignedVoucher,
} from '@latent/protocol';
import { nowSeconds } from '../book-context.ts';
import type { PaidLease } from './paid-leases.ts';
import type { RelayContext } from './relay-context.ts';

export type Payment = Extract<PeerLinkMessage, { kind: 'pay' }>;

/** Leases of one peer that are not settled, and over all. */
const MAX_PER_PEER = 4;
const MAX_LEASES = 50_000;

/**
 * Takes a voucher, and with the first one its lease: written down before anything is relayed for it. What the lease is follows from
 * its terms and the chain alone.
 * @throws LatentError LEASE_NOT_MINE, LEASE_MISMATCH, NOT_ALLOWED, LEASE_NOT_ACTIVE, VOUCHER_BAD_SIGNATURE, VOUCHER_DECREASED,
 * BOOK_RATE_LIMITED, CHAIN_UNREACHABLE
 */
export async function takePayment(context: RelayContext, peer: PeerKey, payment: Payment): Promise<PaidLease> {
  const { domain, leases } = context;
  const { terms, voucher, signature } = payment;
  requireOwnTerms(context, terms);
  const leaseId = hashOrder(domain, terms);
  const { meterKey } = terms.order;
  const known = leases.find(leaseId);
  if (known?.peerKey !== peer) await checkAttach(domain, { leaseId, peerKey: peer, meterKey, signature });
  await checkVoucher(domain, { leaseId, order: terms.order, memberCount: 1 }, voucher);
  if (known !== undefined) return takeNext(context, known, peer, voucher);
  requireRoom(context, peer);
  refuseLaterStart(voucher, nowSeconds(context.clock));
  const { state, isChanged, openedAt, stopAt } = await context.chain.read(leaseId);
  if (state !== 'active' || stopAt !== 0 || isChanged) {
    const what = state === 'active' ? 'stopped or changed' : state;
    throw new LatentError('LEASE_NOT_ACTIVE', `Lease ${leaseId} is ${what} on chain.`, { retry: 'later' });
  }
  // Another link of the peer may have presented it meanwhile.
  const since = leases.find(leaseId);
  if (since !== undefined) return takeNext(context, since, peer, voucher);
  const lease: PaidLease = {
    ...{ leaseId, peerKey: peer, terms, openedAt, usedBytes: 0, savedUnits: 0, voucher, claim: null, stopAt: 0 },
    isEnding: false,
  };
  leases.keep(lease);
  context.logger.info({ leaseId, renter: terms.order.renter }, 'a lease pays for relaying');
  return lease;
}

function takeNext({ leases }: RelayContext, lease: PaidLease, peer: PeerKey, voucher: SignedVoucher): PaidLease {
  if (lease.claim !== null || lease.isEnding) {
    throw new LatentError('LEASE_NOT_ACTIVE', `Lease ${lease.leaseId} has ended here.`);
  }
  const [before, units] = [lease.voucher.units[0] ?? 0n, voucher.units[0] ?? 0n];
  if (units < before) {
    const text = `The voucher covers ${units} device-seconds; one before it covered ${before}.`;
    throw new LatentError('VOUCHER_DECREASED', text);
  }
  // A later start would let the contract's clock pay less than the units say: as good as fewer units.
  refuseLaterStart(voucher, lease.voucher.accrueFrom[0] ?? 0);
  if (units === before && lease.peerKey === peer) return lease;
  const [oldVoucher, oldPeer] = [lease.voucher, lease.peerKey];
  Object.assign(lease, { voucher, peerKey: peer });
  try {
    leases.keep(lease);
    return lease;
  } catch (thrown) {
    // It does not count before it is on the disk.
    Object.assign(lease, { voucher: oldVoucher, peerKey: oldPeer });
    throw thrown;
  }
}

function refuseLaterStart(voucher: SignedVoucher, latest: number): void {
  const from = voucher.accrueFrom[0] ?? 0;
  if (from <= latest) return;
  throw new LatentError('VOUCHER_DECREASED', `The voucher counts from ${from} only, which is later than ${latest}.`);
}

function requireOwnTerms({ account, price }: RelayContext, { members }: LeaseTerms): void {
  const [member] = members;
  const isOurs = members.length === 1 && member?.agentKey === account.address && member.operator === price.operator;
  if (isOurs) return;
  throw new LatentError('LEASE_NOT_MINE', `Its only member has to be the relay key ${account.address} of this book.`);
}

function requireRoom({ leases }: RelayContext, peer: PeerKey): void {
  const open = leases.ofPeer(peer).filter(({ claim }) => claim === null);
  if (open.length < MAX_PER_PEER && leases.size < MAX_LEASES) return;
  throw new LatentError('BOOK_RATE_LIMITED', `At most ${MAX_PER_PEER} leases of a peer pay at a time.`);
}
