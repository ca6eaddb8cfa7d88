import { openDigestSigner, RATE_SCALE, RELAY_UNIT_BYTES, relayUnitsDown, signVoucher } from '@latent/protocol';
import type { RelayDeskContext } from './relay-desk-context.ts';
import { type RelayLease, relayBudgetLeft } from './relay-lease.ts';

/**
 * A book counts what it sent, also what was lost with a link: so much more than what arrived here is believed. What a book makes up
 * beyond that is not paid.
 */
const LOST_BYTES = 16 * RELAY_UNIT_BYTES;
const LOST_SHARE = 8;

/** Bytes of a lease that are believed to have been relayed, given what the book says and what was counted here since it was opened. */
export function believedBytes(saidBytes: number, countedBytes: number): number {
  return Math.min(saidBytes, countedBytes + Math.floor(countedBytes / LOST_SHARE) + LOST_BYTES);
}

/** Units that vouchers run ahead of what was used: what either side can lose. */
export function unitsAhead({ terms }: Pick<RelayLease, 'terms'>): bigint {
  return BigInt(terms.members[0]?.devices ?? 0) * BigInt(Math.max(1, terms.order.prepay));
}

/**
 * Units of the next voucher: what was used and a step ahead, within the lease and the budget; never less than was signed. The same as
 * before while most of the last step is left.
 * @param budgetLeft base units that are not promised yet
 */
export function nextRelayUnits(
  lease: Pick<RelayLease, 'terms' | 'voucher'>,
  usedBytes: number,
  budgetLeft: bigint,
): bigint {
  const { order, members } = lease.terms;
  const [member] = members;
  const signed = lease.voucher?.units[0] ?? 0n;
  const used = relayUnitsDown(usedBytes);
  const step = unitsAhead(lease);
  if (member === undefined || (lease.voucher !== null && (signed - used) * 4n > step * 3n)) return signed;
  const most = BigInt(member.devices) * BigInt(order.maxSeconds);
  // What is promised is rounded up for each lease: one base unit less makes sure.
  const affordable = budgetLeft === 0n ? signed : signed + ((budgetLeft - 1n) * RATE_SCALE) / member.rate;
  const units = [used + step, most, affordable].reduce((least, one) => (one < least ? one : least));
  return units > signed ? units : signed;
}

/** Signs the next voucher of a lease, if there is more to sign for; stored before this resolves. */
export async function signRelayVoucher(context: RelayDeskContext, lease: RelayLease): Promise<RelayLease> {
  const { chain, journal } = context;
  const counted = journal.counted(lease.book) - lease.countedBefore;
  const units = nextRelayUnits(lease, believedBytes(lease.usedBytes, counted), relayBudgetLeft(journal));
  if (lease.voucher !== null && units === lease.voucher.units[0]) return lease;
  const content = { leaseId: lease.leaseId, units: [units], accrueFrom: [0] };
  const voucher = await signVoucher(openDigestSigner(lease.meterSecret), chain.domain, content);
  const signed = { ...lease, voucher };
  journal.save(signed);
  return signed;
}
