import type { Wish } from './decide-lease.ts';

/** What the chain costs now. */
export interface GasPrice {
  /** Wei per gas that a transaction is likely to pay. */
  readonly weiPerGas: bigint;
  /** Base units of the stablecoin for one ether, as whoever runs this has set it: there is no oracle. */
  readonly unitsPerEther: bigint;
}

/** A wish with the gas that a transaction of its own is given. */
export interface PricedWish {
  readonly wish: Wish;
  readonly gas: bigint;
}

export interface BatchLimits {
  /** While nothing is due: least worth of a row, in base units. */
  readonly minWorth: bigint;
  /** While nothing is due: worth has to be so many times the cost. At least 1. */
  readonly gasTimes: bigint;
  /** Wei that may still be spent; undefined: what is worth it. */
  readonly leftWei: bigint | undefined;
  readonly mostRows: number;
  readonly mostGas: bigint;
}

/** Rows for one transaction. */
export interface Batch {
  readonly rows: readonly PricedWish[];
  readonly gas: bigint;
  /** Base units. Never less than the cost at the given price. */
  readonly worth: bigint;
  /** The most that may be paid for it in all, whatever happens to fees: never more than it is worth, nor than is left. */
  readonly mostWei: bigint;
}

/** What every transaction costs, which rows of a batch share. */
export const TRANSACTION_GAS = 21_000n;
const WEI_PER_ETHER = 10n ** 18n;

export function costUp(gas: bigint, { weiPerGas, unitsPerEther }: GasPrice): bigint {
  return (gas * weiPerGas * unitsPerEther + WEI_PER_ETHER - 1n) / WEI_PER_ETHER;
}

/** The most wei whose worth is not above these base units. */
export function weiOfDown(units: bigint, unitsPerEther: bigint): bigint {
  return (units * WEI_PER_ETHER) / unitsPerEther;
}

/**
 * The rows of one kind that go into a transaction now, or undefined if nothing is worth one. Every row pays for what it adds,
 * and all together for the transaction: one that is due at its cost, the others at a multiple of it.
 * @param priced of one deed and of as many leases
 */
export function selectBatch(priced: readonly PricedWish[], price: GasPrice, limits: BatchLimits): Batch | undefined {
  const fitting = priced.filter(({ wish, gas }) => {
    const least = costUp(addedGas(gas), price);
    if (wish.isDue) return wish.worth >= least;
    const asked = least * limits.gasTimes;
    return wish.worth * 1_000n >= (asked > limits.minWorth ? asked : limits.minWorth) * wish.leastPermille;
  });
  const rows = withinLimits([...fitting].sort(moreUrgentFirst), price, limits);
  if (rows.length === 0) return undefined;
  const gas = batchGas(rows);
  const worth = rows.reduce((sum, { wish }) => sum + wish.worth, 0n);
  const times = rows.some(({ wish }) => wish.isDue) ? 1n : limits.gasTimes;
  if (worth < costUp(gas, price) * times) return undefined;
  const worthWei = weiOfDown(worth, price.unitsPerEther) / times;
  const mostWei = limits.leftWei === undefined || worthWei < limits.leftWei ? worthWei : limits.leftWei;
  return mostWei < gas * price.weiPerGas ? undefined : { rows, gas, worth, mostWei };
}

/** Gas of a transaction with these rows; at most what they take alone. */
export function batchGas(rows: readonly PricedWish[]): bigint {
  return rows.reduce((sum, { gas }) => sum + addedGas(gas), rows.length === 0 ? 0n : TRANSACTION_GAS);
}

function addedGas(gas: bigint): bigint {
  return gas > TRANSACTION_GAS ? gas - TRANSACTION_GAS : 0n;
}

function withinLimits(
  rows: readonly PricedWish[],
  { weiPerGas }: GasPrice,
  { mostRows, mostGas, leftWei }: BatchLimits,
): readonly PricedWish[] {
  const taken: PricedWish[] = [];
  for (const row of rows) {
    const gas = batchGas([...taken, row]);
    const isTooMuch = gas > mostGas || (leftWei !== undefined && gas * weiPerGas > leftWei);
    if (taken.length < mostRows && !isTooMuch) taken.push(row);
  }
  return taken;
}

/** What is due before what is not; then what brings more for its gas. */
function moreUrgentFirst(one: PricedWish, other: PricedWish): number {
  if (one.wish.isDue !== other.wish.isDue) return one.wish.isDue ? -1 : 1;
  const difference = other.wish.worth * addedGas(one.gas) - one.wish.worth * addedGas(other.gas);
  return difference === 0n ? 0 : difference > 0n ? 1 : -1;
}
