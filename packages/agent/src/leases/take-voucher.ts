import { checkVoucher, LatentError, type PeerKey, type SignedVoucher } from '@latent/protocol';
import { nowSeconds } from '../agent-context.ts';
import { withRoster } from './follow-roster.ts';
import { findForCaller, type LeaseDesk } from './lease-desk.ts';
import { coveredUnits, type MemberRecord, membersOf } from './member-record.ts';
import { deliveredUnits } from './metering.ts';

/**
 * Takes a voucher if it is good and no worse than the one before; stored before it counts.
 * @throws LatentError VOUCHER_BAD_SIGNATURE, VOUCHER_DECREASED, LEASE_MISMATCH, LEASE_NOT_MINE
 */
export async function takeVoucher(
  desk: LeaseDesk,
  caller: PeerKey,
  voucher: SignedVoucher,
): Promise<{ readonly deliveredUnits: bigint; readonly coveredUnits: bigint }> {
  const { context } = desk;
  return desk.lock.run(voucher.leaseId, async () => {
    const record = await withVoucher(desk, findForCaller(desk, voucher.leaseId, caller), voucher);
    context.members.save(record);
    return { deliveredUnits: deliveredUnits(record, context.clock.nowMs()), coveredUnits: coveredUnits(record) };
  });
}

/** The record with a voucher that was checked; not stored yet. */
export async function withVoucher(desk: LeaseDesk, known: MemberRecord, voucher: SignedVoucher): Promise<MemberRecord> {
  // Members were added that we have not heard of yet.
  const isLonger = voucher.units.length > membersOf(known).length;
  const record = isLonger ? await withRoster(desk, known) : known;
  const { leaseId, terms, index } = record;
  await checkVoucher(
    desk.context.chain.domain,
    { leaseId, order: terms.order, memberCount: membersOf(record).length },
    voucher,
  );
  const units = voucher.units[index] ?? 0n;
  const from = voucher.accrueFrom[index] ?? 0;
  const before = record.voucher?.accrueFrom[index] ?? nowSeconds(desk.context.clock);
  // A later start would let the contract's clock pay less than the units say: as good as fewer units.
  if (units < coveredUnits(record) || from > before) {
    throw new LatentError(
      'VOUCHER_DECREASED',
      `The voucher covers ${units} device-seconds from ${from}; one before it covered ${coveredUnits(record)} from ${before}.`,
      {
        details: { leaseId },
      },
    );
  }
  return { ...record, voucher };
}
