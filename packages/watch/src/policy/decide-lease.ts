import type { FollowedLease } from '@latent/chain';
import type { Claim, SignedClose, SignedVoucher } from '@latent/protocol';
import type { Hex } from 'viem';
import { type LeaseTimes, leaseTimes, memberClock, payableUnits } from '../lease/lease-clock.ts';
import { freedWorthDown, incomeDown, vouchedFor, voucherWorthDown } from '../lease/lease-worth.ts';
import { isPostable } from '../papers/best-vouchers.ts';
import type { Policy } from './policy.ts';

/** A claim of one member, as it was handed in. */
export interface KeptClaim extends SignedClose {
  /** The member ends its part alone, whatever the others do. */
  readonly leaves: boolean;
  /** Unix seconds of the chain at which it was kept. */
  readonly keptAt: number;
}

/** All that was handed in for a lease, checked. */
export interface LeasePapers {
  readonly vouchers: readonly SignedVoucher[];
  readonly claims: readonly KeptClaim[];
}

/** Units that a member is to be paid up to at its end. */
export interface WishedClaim extends Claim {
  /** None is needed of a member that has left, which signed before. */
  readonly signature: Hex | undefined;
}

/** What could be done for a lease now, and what it is worth. Whether it is worth the gas is not decided here. */
export interface Wish {
  readonly deed: 'checkpoint' | 'close' | 'leave' | 'finalize';
  readonly lease: FollowedLease;
  readonly voucher: SignedVoucher | undefined;
  /** Of all members for a close, of one for a leave; none otherwise. */
  readonly claims: readonly WishedClaim[];
  /** Base units that those it is done for get by it, rounded down. */
  readonly worth: bigint;
  /** Its time has come: it is done if it pays for itself. Otherwise it has to be worth a multiple. */
  readonly isDue: boolean;
  /**
   * What is not due waits until it is worth so many thousandths of the least that is asked for: others who watch the lease
   * wait for more, or for less.
   */
  readonly leastPermille: bigint;
  /** For people and logs. */
  readonly why: string;
}

export interface Moment {
  /** Unix seconds of the chain. */
  readonly nowSeconds: number;
  /** From 0 to just below 1, see `turnOf`. */
  readonly turn: number;
  /** Protocol fee of the escrow, in 1/10,000. */
  readonly feeBps: number;
}

/**
 * The state of a lease → what could be done about it, what is due first. Pure. The caller takes the first one that the
 * contract would carry out and that pays for itself.
 */
export function decideLease(
  lease: FollowedLease,
  papers: LeasePapers,
  policy: Policy,
  moment: Moment,
): readonly Wish[] {
  const times = leaseTimes(lease);
  if (times === undefined) return [];
  const situation = { lease, papers, policy, moment, times };
  const wishes = policy.lastVoucherOnly
    ? [checkpointWish(situation)]
    : [closeWish(situation), finalizeWish(situation), leaveWish(situation), checkpointWish(situation)];
  return wishes.flatMap((wish) => (wish !== undefined && wish.worth > 0n ? [wish] : []));
}

const AT_ONCE = { isDue: true, leastPermille: 1_000n } as const;

interface Situation {
  readonly lease: FollowedLease;
  readonly papers: LeasePapers;
  readonly policy: Policy;
  readonly moment: Moment;
  readonly times: LeaseTimes;
}

/**
 * How long after it became possible our turn comes. A quarter and an eighth of the closing window at most, so that a last
 * voucher is always due before half of the window has gone.
 */
function waitSeconds({ policy, moment, times }: Situation): number {
  const patience = Math.min(policy.patienceSeconds, Math.floor(times.closeWindow / 4));
  return patience + turnSeconds({ policy, moment, times });
}

function turnSeconds({ policy, moment, times }: Pick<Situation, 'policy' | 'moment' | 'times'>): number {
  return Math.floor(moment.turn * Math.min(policy.spreadSeconds, Math.floor(times.closeWindow / 8)));
}

/** Every member that is still in it signed what it claims, and a voucher covers each. */
function closeWish(situation: Situation): Wish | undefined {
  const { lease, papers, policy, moment } = situation;
  const claims = lease.members.map((_, index) => claimOf(situation, index));
  if (!claims.every((claim) => claim !== undefined)) return undefined;
  const voucher = provingVoucher(situation, claims);
  if (voucher === 'none') return undefined;
  const completeAt = Math.max(0, ...papers.claims.map(({ keptAt }) => keptAt));
  if (moment.nowSeconds < completeAt + waitSeconds(situation)) return undefined;
  const income = lease.members.reduce((sum, { operator }, index) => {
    const units = claims[index]?.units ?? 0n;
    return policy.worksFor(operator) ? sum + incomeDown(lease, index, units, moment.feeBps) : sum;
  }, 0n);
  const refund = refundWorth(situation, closingCharge(lease, claims));
  return {
    ...{ deed: 'close', lease, voucher, claims },
    worth: income + refund + freedWorthDown(lease, policy.worksFor, policy.freedSeconds),
    ...AT_ONCE,
    why: 'every member signed what it claims',
  };
}

/** What a member that left was paid is its claim; nobody has to sign it again. */
function claimOf({ lease, papers }: Situation, index: number): WishedClaim | undefined {
  if (!memberClock(lease, index).hasLeft) return papers.claims.find(({ member }) => member === index);
  return { leaseId: lease.leaseId, member: index, units: lease.paidUnits[index] ?? 0n, signature: undefined };
}

/** A voucher by which all these claims are good now; undefined if none is needed; 'none' if there is none. */
function provingVoucher(
  { lease, papers, moment }: Situation,
  claims: readonly Claim[],
): SignedVoucher | undefined | 'none' {
  const paid = (index: number) => lease.paidUnits[index] ?? 0n;
  const unpaid = claims.filter(({ member, units }) => units > paid(member));
  if (unpaid.length === 0) return undefined;
  const proving = papers.vouchers.find(
    (voucher) =>
      isPostable(lease, voucher) &&
      unpaid.every(
        ({ member, units }) => units <= payableUnits(lease, member, vouchedFor(voucher, member), moment.nowSeconds),
      ),
  );
  return proving ?? 'none';
}

function closingCharge(lease: FollowedLease, claims: readonly Claim[]): bigint {
  return claims.reduce((sum, { member, units }) => sum + incomeDown(lease, member, units, 0), lease.charged);
}

function refundWorth({ lease, policy }: Situation, charged: bigint): bigint {
  const { order } = lease.terms ?? {};
  if (order === undefined || !policy.worksFor(order.renter)) return 0n;
  const refund = (lease.roster?.deposit ?? order.deposit) - charged;
  return refund > 0n ? refund : 0n;
}

/** The window has passed: anybody may end it, with the last voucher or without. */
function finalizeWish(situation: Situation): Wish | undefined {
  const { lease, policy, moment, times } = situation;
  if (moment.nowSeconds <= times.windowEndsAt + turnSeconds(situation)) return undefined;
  const { voucher, worth } = bestVoucher(situation);
  const charged = lease.members.reduce((sum, _, index) => {
    const units =
      voucher === undefined ? 0n : payableUnits(lease, index, vouchedFor(voucher, index), moment.nowSeconds);
    return sum + incomeDown(lease, index, units, 0);
  }, lease.charged);
  return {
    ...{ deed: 'finalize', lease, voucher, claims: [] },
    worth: worth + refundWorth(situation, charged) + freedWorthDown(lease, policy.worksFor, policy.freedSeconds),
    ...AT_ONCE,
    why: 'its closing window has passed',
  };
}

/** A member wants to go while the others stay. */
function leaveWish(situation: Situation): Wish | undefined {
  const { lease, papers, policy, moment } = situation;
  const wishes = papers.claims.flatMap((claim): Wish[] => {
    const { operator } = lease.members[claim.member] ?? {};
    if (!claim.leaves || operator === undefined || !policy.worksFor(operator)) return [];
    if (memberClock(lease, claim.member).hasLeft) return [];
    if (moment.nowSeconds < claim.keptAt + turnSeconds(situation)) return [];
    const voucher = provingVoucher(situation, [claim]);
    if (voucher === 'none') return [];
    const freed = freedWorthDown(lease, policy.worksFor, policy.freedSeconds, claim.member);
    return [
      {
        ...{ deed: 'leave', lease, voucher, claims: [claim] },
        worth: incomeDown(lease, claim.member, claim.units, moment.feeBps) + freed,
        ...AT_ONCE,
        why: `member ${claim.member} leaves`,
      },
    ];
  });
  return wishes.reduce<Wish | undefined>(
    (best, wish) => (best === undefined || wish.worth > best.worth ? wish : best),
    undefined,
  );
}

function checkpointWish(situation: Situation): Wish | undefined {
  const { lease, policy } = situation;
  const { voucher, worth } = bestVoucher(situation);
  if (voucher === undefined || worth === 0n) return undefined;
  const why = whyDue(situation, voucher);
  if (why === undefined && policy.lastVoucherOnly) return undefined;
  return {
    ...{ deed: 'checkpoint', lease, voucher, claims: [] },
    worth,
    isDue: why !== undefined,
    leastPermille: BigInt(1_000 + Math.floor(situation.moment.turn * 250)),
    why: why ?? 'enough has not been paid out yet',
  };
}

function whyDue(situation: Situation, voucher: SignedVoucher): string | undefined {
  const { lease, policy, moment, times } = situation;
  const wait = waitSeconds(situation);
  if (moment.nowSeconds >= times.endsAt + wait) {
    return lease.stopAt === undefined ? 'the lease has reached its end' : 'the lease was stopped';
  }
  const dismissed = lease.members.findIndex(({ operator }, index) => {
    const { until } = memberClock(lease, index);
    if (until === undefined || !policy.worksFor(operator) || moment.nowSeconds < until + wait) return false;
    const units = payableUnits(lease, index, vouchedFor(voucher, index), moment.nowSeconds);
    return incomeDown(lease, index, units, moment.feeBps) > 0n;
  });
  if (dismissed !== -1) return `member ${dismissed} was dismissed`;
  if (policy.lastVoucherOnly) return undefined;
  const paidAt = lease.events.findLast(({ name }) => name === 'Paid')?.timestamp ?? lease.openedAt;
  return moment.nowSeconds >= paidAt + policy.maxAgeSeconds + turnSeconds(situation)
    ? 'it was not paid for long'
    : undefined;
}

/** Of the vouchers that can be posted, the one that brings those it is done for the most. */
function bestVoucher({ lease, papers, policy, moment }: Situation): {
  readonly voucher: SignedVoucher | undefined;
  readonly worth: bigint;
} {
  let best: { readonly voucher: SignedVoucher | undefined; readonly worth: bigint } = { voucher: undefined, worth: 0n };
  for (const voucher of papers.vouchers) {
    if (!isPostable(lease, voucher)) continue;
    const terms = { worksFor: policy.worksFor, feeBps: moment.feeBps, nowSeconds: moment.nowSeconds };
    const worth = voucherWorthDown(lease, voucher, terms);
    if (worth > best.worth) best = { voucher, worth };
  }
  return best;
}
