import {
  type ChangedLease,
  LatentError,
  LEFT,
  memberCharge,
  payableUnits,
  type SignedClose,
  signClose,
} from '@latent/protocol';
import { closeLease, leaseHistory, leaveLease, readChainTime, readLease, readRoster } from '@latent/sdk';
import { claimMember } from './claim-member.ts';
import type { LeaseDesk } from './lease-desk.ts';
import { type MemberRecord, memberOf, membersOf } from './member-record.ts';

/**
 * Ends our part of a lease without anybody else: we are paid what we claim, and the devices are free at once. If all others
 * have left, the whole lease is closed, so that its renter gets the rest back too. Stops the member first.
 * Repeatable: what was paid or changed meanwhile is seen the next time.
 * @returns whether we are out; false: somebody else was quicker, look again
 * @throws LatentError those of `sendTransaction`
 */
export async function leaveMember(desk: LeaseDesk, leaseId: MemberRecord['leaseId'], reason: string): Promise<boolean> {
  const { context } = desk;
  const claim = await claimMember(desk, leaseId, reason);
  const record = context.members.find(leaseId);
  if (record === undefined) return true;
  const [{ paidUnits }, changed] = await Promise.all([
    leaseHistory(context.chain, leaseId),
    readRoster(context.chain, leaseId, [record.changed]),
  ]);
  const latest = changed === undefined ? record : { ...record, changed };
  const own = await payableClaim(desk, latest, claim, paidUnits[latest.index] ?? 0n);
  const row = {
    ...{ account: context.identity.operator, terms: latest.terms, changed, paidUnits },
    voucher: own.units > (paidUnits[latest.index] ?? 0n) ? (latest.voucher ?? undefined) : undefined,
  };
  const told = {
    leaseId,
    units: own.units.toString(),
    base: memberCharge(own.units, memberOf(latest).rate).toString(),
  };
  try {
    if (isLast(latest, changed)) {
      const closes = membersOf(latest).map((_, index) => (index === latest.index ? own : undefined));
      const { hash } = await closeLease(context.chain, { ...row, closes });
      context.logger.info({ ...told, hash }, 'closed the lease as its last member');
    } else {
      const { hash } = await leaveLease(context.chain, { ...row, claim: own });
      context.logger.info({ ...told, hash }, 'left the lease');
    }
    return true;
  } catch (thrown) {
    // Paid or changed between our look and our call.
    if (thrown instanceof LatentError && thrown.code === 'LEASE_NOT_SETTLED') return false;
    throw thrown;
  }
}

/**
 * Our claim within what the contract takes: nothing below what it has paid already (a voucher ahead of us was posted), nothing
 * beyond what its clock allows (ours was fast).
 */
async function payableClaim(
  { context }: LeaseDesk,
  record: MemberRecord,
  claim: SignedClose,
  paid: bigint,
): Promise<SignedClose> {
  const { leaseId, index, voucher } = record;
  const [lease, nowSeconds] = await Promise.all([readLease(context.chain, leaseId), readChainTime(context.chain)]);
  const { order } = record.terms;
  const roster = record.changed?.roster;
  const end = lease.openedAt + (roster?.maxSeconds ?? order.maxSeconds);
  const until = roster?.until[index] ?? 0;
  const clock = {
    devices: memberOf(record).devices,
    openedAt: lease.openedAt,
    stopAt: lease.stopAt,
    maxSeconds: (until > LEFT ? Math.min(until, end) : end) - lease.openedAt,
    prepay: order.prepay,
    accrueFrom: Math.max(roster?.from[index] ?? 0, voucher?.accrueFrom[index] ?? 0),
  };
  const payable = voucher === null ? 0n : payableUnits(claim.units, clock, nowSeconds);
  const units = payable > paid ? payable : paid;
  if (units === claim.units) return claim;
  return signClose(context.identity.agent, context.chain.domain, { leaseId, member: index, units });
}

/** Nobody but us is left in the lease. */
function isLast(record: MemberRecord, changed: ChangedLease | undefined): boolean {
  return membersOf(record).every((_, index) => index === record.index || changed?.roster.until[index] === LEFT);
}
