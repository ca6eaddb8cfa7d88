import { hourlyFromRateUp } from '@latent/protocol';
import type { ClusterRecord } from '../clusters/cluster-record.ts';
import { unitsUntil } from '../clusters/count-units.ts';
import { fitBudget, promiseUp } from './fit-budget.ts';

/** What signing ahead comes to, at most. Base units. */
export interface OfflinePlan {
  /** Unix milliseconds up to which members are paid: as asked for, or the end of the lease. */
  readonly untilMs: number;
  /** Of all members that are paid ahead, together. */
  readonly perHourUp: bigint;
  /** From now on, beyond what was delivered already. */
  readonly fromNowUp: bigint;
  /** For the lease as a whole, with what was signed before. */
  readonly inAllUp: bigint;
  /** The deposit ends it before `untilMs`. */
  readonly isBudgetShort: boolean;
  /** Ranks that are not paid ahead: they do not run, or their job has ended. */
  readonly leftOut: readonly number[];
}

/**
 * The most that one large voucher up to `untilMs` can cost. The contract's clock pays it second by second, so this is reached
 * only by members that run all the time.
 */
export function planOffline(
  record: Pick<ClusterRecord, 'terms' | 'members' | 'voucher' | 'openedAt'>,
  wantedUntilMs: number,
): OfflinePlan {
  const { order, members } = record.terms;
  const { openedAt } = record;
  const untilMs =
    openedAt === undefined ? wantedUntilMs : Math.min(wantedUntilMs, (openedAt + order.maxSeconds) * 1000);
  const before = members.map((_, rank) => record.voucher?.units[rank] ?? 0n);
  const ahead = members.map((member, rank) => unitsUntil(member, order, record.members[rank], untilMs));
  const wanted = before.map((amount, rank) => ((ahead[rank] ?? 0n) > amount ? (ahead[rank] ?? 0n) : amount));
  const units = fitBudget(members, before, wanted, order.deposit);
  const delivered = members.map((_, rank) => record.members[rank]?.deliveredUnits ?? 0n);
  const paidAhead = members.filter((_, rank) => (ahead[rank] ?? 0n) > 0n);
  return {
    untilMs,
    perHourUp: paidAhead.reduce((sum, { rate, devices }) => sum + hourlyFromRateUp(rate) * BigInt(devices), 0n),
    fromNowUp: promiseUp(
      members,
      units.map((amount, rank) => {
        const done = delivered[rank] ?? 0n;
        return amount > done ? amount - done : 0n;
      }),
    ),
    inAllUp: promiseUp(members, units),
    isBudgetShort: promiseUp(members, wanted) > order.deposit,
    leftOut: members.flatMap((_, rank) => ((ahead[rank] ?? 0n) === 0n ? [rank] : [])),
  };
}
