import type { Hex } from 'viem';
import type { LeaseId } from '../ids.ts';
import type { LeaseTerms } from '../messages/order.ts';
import { hourlyFromRateUp } from '../money/rate.ts';
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
  /** Cumulative device-seconds per member that the chain has paid; empty if nothing was paid yet. */
  readonly paidUnits: readonly bigint[];
  /** Set once the lease is closed. */
  readonly refund: bigint | undefined;
  readonly transactions: readonly { readonly kind: string; readonly hash: Hex; readonly gasUsed: bigint }[];
  readonly prices: GasPrices;
}

export interface BillMember {
  readonly index: number;
  readonly operator: Hex;
  readonly devices: number;
  readonly deviceSeconds: bigint;
  readonly pricePerDeviceHour: bigint;
  /** What the renter paid for this member, in base units. */
  readonly charge: bigint;
}

/** Every amount in base units of the stablecoin. */
export interface Bill {
  readonly leaseId: LeaseId;
  readonly closed: boolean;
  readonly deposit: bigint;
  readonly members: readonly BillMember[];
  readonly charged: bigint;
  /** Part of `charged` that went to the protocol. */
  readonly fee: bigint;
  readonly feeBps: number;
  /** Undefined while the lease is open. */
  readonly refund: bigint | undefined;
  readonly transactions: BillInput['transactions'];
  readonly gasUsed: bigint;
  readonly prices: GasPrices;
  /** Cost of all transactions at `prices`, rounded up. */
  readonly chainCostUp: bigint;
  /** Of what was charged; undefined if nothing was. */
  readonly coordination: CoordinationCost | undefined;
  /**
   * Of the deposit, had the lease run to its end. A lease that was closed after seconds says little about what
   * coordination costs, as opening and closing cost the same for any length.
   */
  readonly coordinationAtFullLength: CoordinationCost;
}

/** What coordination costs, in millionths of the lease's value, rounded up. */
export interface CoordinationCost {
  readonly feePpmUp: bigint;
  readonly chainPpmUp: bigint;
}

const WEI_PER_ETHER = 10n ** 18n;

/** Recomputes a lease's bill from what the chain says. Pure: same input, same bill, for anybody. */
export function computeBill(input: BillInput): Bill {
  const members = input.terms.members.map((member, index): BillMember => {
    const deviceSeconds = input.paidUnits[index] ?? 0n;
    return {
      index,
      operator: member.operator,
      devices: member.devices,
      deviceSeconds,
      pricePerDeviceHour: hourlyFromRateUp(member.rate),
      charge: memberCharge(deviceSeconds, member.rate),
    };
  });
  const charged = members.reduce((sum, member) => sum + member.charge, 0n);
  const fee = members.reduce((sum, member) => sum + feeBetween(0n, member.charge, input.feeBps), 0n);
  const { deposit } = input.terms.order;
  const gasUsed = input.transactions.reduce((sum, transaction) => sum + transaction.gasUsed, 0n);
  const chainCostUp = ceilDiv(gasUsed * input.prices.weiPerGas * input.prices.unitsPerEther, WEI_PER_ETHER);
  return {
    leaseId: input.leaseId,
    closed: input.refund !== undefined,
    deposit,
    members,
    charged,
    fee,
    feeBps: input.feeBps,
    refund: input.refund,
    transactions: input.transactions,
    gasUsed,
    prices: input.prices,
    chainCostUp,
    coordination: charged === 0n ? undefined : coordinationCost(fee, chainCostUp, charged),
    coordinationAtFullLength: coordinationCost(feeBetween(0n, deposit, input.feeBps), chainCostUp, deposit),
  };
}

function coordinationCost(fee: bigint, chainCost: bigint, value: bigint): CoordinationCost {
  return { feePpmUp: ceilDiv(fee * 1_000_000n, value), chainPpmUp: ceilDiv(chainCost * 1_000_000n, value) };
}

function ceilDiv(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
