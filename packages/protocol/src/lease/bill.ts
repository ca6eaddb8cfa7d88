import type { Hex } from 'viem';
import type { LeaseId } from '../ids.ts';
import type { LeaseTerms, Member } from '../messages/order.ts';
import { LEFT } from '../messages/roster.ts';
import { hourlyFromRateUp } from '../money/rate.ts';
import type { DepositMove } from './audit/audit-money.ts';
import type { LeaseEvidence } from './audit/lease-evidence.ts';
import type { Standing, StandingMember } from './audit/lease-standing.ts';
import { feeBetween, memberCharge } from './metering.ts';

/** What gas is assumed to cost where a bill states the cost of the chain in dollars. */
export interface GasPrices {
  /** Wei per gas. 50,000,000 is 0.05 gwei. */
  readonly weiPerGas: bigint;
  /** Base units of the stablecoin per ether; 3,000,000,000 is $3,000. */
  readonly unitsPerEther: bigint;
}

export interface BillInput {
  readonly leaseId: LeaseId;
  readonly terms: LeaseTerms;
  readonly feeBps: number;
  /** All that were ever in it, if it was changed; those of the terms unless given. */
  readonly members?: readonly ServingMember[];
  /** Of the lease as it is now, if it was changed; that of the terms unless given. */
  readonly deposit?: bigint;
  readonly deposits?: readonly DepositMove[];
  /** Cumulative device-seconds per member that the chain has paid; empty if nothing was paid yet. */
  readonly paidUnits: readonly bigint[];
  /** Set once the lease is closed. */
  readonly refund: bigint | undefined;
  readonly transactions: readonly BillTransaction[];
  readonly prices: GasPrices;
}

/** A member, and when it served, in unix seconds. */
export interface ServingMember {
  readonly member: Pick<Member, 'operator' | 'devices' | 'rate'>;
  readonly from?: number | undefined;
  /** Undefined while it serves. */
  readonly until?: number | undefined;
  /** How its part ended, if before the lease's own end. */
  readonly ended?: 'left' | 'dismissed' | undefined;
}

export interface BillTransaction {
  readonly kind: string;
  readonly hash: Hex;
  readonly gasUsed: bigint;
  readonly block?: bigint;
  /** Unix seconds. */
  readonly time?: number;
  /** What was really paid per gas. */
  readonly weiPerGas?: bigint;
}

export interface BillMember {
  readonly index: number;
  readonly operator: Hex;
  readonly devices: number;
  /** Unix seconds; undefined where the bill is made without the log. */
  readonly from: number | undefined;
  readonly until: number | undefined;
  readonly ended: 'left' | 'dismissed' | undefined;
  readonly deviceSeconds: bigint;
  /** 10⁻⁹ base units per device-second: charge = floor(rate × device-seconds / 10⁹). */
  readonly rate: bigint;
  readonly pricePerDeviceHour: bigint;
  /** What the renter paid for this member, in base units. */
  readonly charge: bigint;
  /** Part of `charge`: floor(charge × feeBps / 10,000). */
  readonly fee: bigint;
}

/** Every amount in base units of the stablecoin. */
export interface Bill {
  readonly leaseId: LeaseId;
  readonly closed: boolean;
  /** What is held for it now, or was at its end; what was charged included. */
  readonly deposit: bigint;
  /** Empty where the bill is made without the log. */
  readonly deposits: readonly DepositMove[];
  readonly members: readonly BillMember[];
  readonly charged: bigint;
  /** Part of `charged` that went to the protocol. */
  readonly fee: bigint;
  readonly feeBps: number;
  /** Undefined while the lease is open. */
  readonly refund: bigint | undefined;
  readonly transactions: readonly BillTransaction[];
  readonly gasUsed: bigint;
  readonly prices: GasPrices;
  /** Cost of all transactions at `prices`, rounded up. */
  readonly chainCostUp: bigint;
  /** Of what was charged; undefined if nothing was. */
  readonly coordination: CoordinationCost | undefined;
  /**
   * Of the deposit, had the lease run to its end. A lease that was closed after seconds says little about what
   * coordination costs, as opening and closing cost the same for any length. Undefined if nothing was held any more.
   */
  readonly coordinationAtFullLength: CoordinationCost | undefined;
}

/** What coordination costs, in millionths of the lease's value, rounded up. */
export interface CoordinationCost {
  readonly feePpmUp: bigint;
  readonly chainPpmUp: bigint;
}

const WEI_PER_ETHER = 10n ** 18n;

/** Recomputes a lease's bill from what the chain says. Pure: same input, same bill, for anybody. */
export function computeBill(input: BillInput): Bill {
  const serving: readonly ServingMember[] = input.members ?? input.terms.members.map((member) => ({ member }));
  const members = serving.map(({ member, from, until, ended }, index): BillMember => {
    const deviceSeconds = input.paidUnits[index] ?? 0n;
    const charge = memberCharge(deviceSeconds, member.rate);
    return {
      ...{ index, operator: member.operator, devices: member.devices, from, until, ended, deviceSeconds },
      ...{ rate: member.rate, pricePerDeviceHour: hourlyFromRateUp(member.rate) },
      ...{ charge, fee: feeBetween(0n, charge, input.feeBps) },
    };
  });
  const charged = members.reduce((sum, member) => sum + member.charge, 0n);
  const fee = members.reduce((sum, member) => sum + member.fee, 0n);
  const { deposit = input.terms.order.deposit, deposits = [] } = input;
  const gasUsed = input.transactions.reduce((sum, transaction) => sum + transaction.gasUsed, 0n);
  const chainCostUp = ceilDiv(gasUsed * input.prices.weiPerGas * input.prices.unitsPerEther, WEI_PER_ETHER);
  return {
    leaseId: input.leaseId,
    closed: input.refund !== undefined,
    deposit,
    deposits,
    members,
    charged,
    fee,
    feeBps: input.feeBps,
    refund: input.refund,
    transactions: input.transactions,
    gasUsed,
    prices: input.prices,
    chainCostUp,
    coordination: coordinationCost(fee, chainCostUp, charged),
    coordinationAtFullLength: coordinationCost(feeBetween(0n, deposit, input.feeBps), chainCostUp, deposit),
  };
}

const verbs = { opened: 'open', paid: 'checkpoint', changed: 'change', stopping: 'stop', closed: 'close' } as const;

/** The bill of a lease, changed ones too, from what an audit recomputed of it. */
export function billStanding(
  evidence: LeaseEvidence,
  { standing, deposits }: { readonly standing: Standing; readonly deposits: readonly DepositMove[] },
  prices: GasPrices,
): Bill {
  const kinds = new Map<Hex, string>();
  // A close also pays: the later event of the same transaction names it.
  for (const { kind, place } of evidence.log) kinds.set(place.transaction, verbs[kind]);
  return computeBill({
    ...{ leaseId: evidence.leaseId, terms: standing.terms, feeBps: standing.feeBps, prices },
    ...{ deposit: standing.deposit, deposits, members: standing.members.map((one) => served(standing, one)) },
    paidUnits: standing.members.map(({ paid }) => paid),
    refund: evidence.log.find((entry) => entry.kind === 'closed')?.refund,
    transactions: evidence.transactions.map(({ hash, gasUsed, weiPerGas, place: { block, time } }) => {
      return { kind: kinds.get(hash) ?? 'other', hash, gasUsed, block, time, weiPerGas };
    }),
  });
}

function served(standing: Standing, { member, from, until, leftAt }: StandingMember): ServingMember {
  const { openedAt, stopAt, maxSeconds, closedAt } = standing;
  const end = closedAt === undefined ? undefined : Math.min(openedAt + maxSeconds, stopAt === 0 ? closedAt : stopAt);
  const start = from === 0 ? openedAt : from;
  if (until === LEFT) return { member, from: start, until: leftAt, ended: 'left' };
  if (until !== 0) return { member, from: start, until: Math.min(until, end ?? until), ended: 'dismissed' };
  return { member, from: start, until: end, ended: undefined };
}

function coordinationCost(fee: bigint, chainCost: bigint, value: bigint): CoordinationCost | undefined {
  if (value === 0n) return undefined;
  return { feePpmUp: ceilDiv(fee * 1_000_000n, value), chainPpmUp: ceilDiv(chainCost * 1_000_000n, value) };
}

function ceilDiv(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
