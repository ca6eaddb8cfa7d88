import { LatentError } from '@latent/protocol';

/** Wei per gas, as EIP-1559 has them. */
export interface Fees {
  /** Never more than this is paid, tip included. */
  readonly maxFeePerGas: bigint;
  readonly tipPerGas: bigint;
}

export interface FeeQuote {
  /** Of the newest block. */
  readonly baseFeePerGas: bigint;
  /** What endpoints suggest as a tip, already bounded. */
  readonly tipPerGas: bigint;
}

/**
 * A pool takes the place of a transaction only by one that pays a tenth more, in both numbers; an eighth is above that, and
 * is what the base fee can rise by in a block.
 */
const RAISE_NUMERATOR = 9n;
const RAISE_DENOMINATOR = 8n;
const LEAST_RAISE_PERCENT = 110n;

/** Wei per gas that a budget allows, rounded down. */
export function feeCeilingDown(budgetWei: bigint, gas: bigint): bigint {
  return gas <= 0n || budgetWei <= 0n ? 0n : budgetWei / gas;
}

/**
 * Fees of a first attempt: room for the base fee to double, never beyond the ceiling.
 * @throws LatentError FEES_TOO_HIGH if the ceiling does not even cover the base fee
 */
export function firstFees(quote: FeeQuote, ceiling: bigint): Fees {
  if (ceiling <= quote.baseFeePerGas) {
    throw new LatentError(
      'FEES_TOO_HIGH',
      `The chain takes ${quote.baseFeePerGas} wei per gas; the most allowed comes to ${ceiling} wei per gas.`,
      {
        hint: 'Wait for lower fees, or allow more.',
        details: { baseFeePerGas: quote.baseFeePerGas, ceiling },
      },
    );
  }
  const tipPerGas = least(quote.tipPerGas, ceiling - quote.baseFeePerGas);
  return { maxFeePerGas: least(2n * quote.baseFeePerGas + tipPerGas, ceiling), tipPerGas };
}

/** Fees that take the place of an attempt; undefined if the ceiling does not allow as much as a pool wants. */
export function raisedFees(previous: Fees, quote: FeeQuote, ceiling: bigint): Fees | undefined {
  const wanted = most(raiseUp(previous.maxFeePerGas), 2n * quote.baseFeePerGas + quote.tipPerGas);
  const maxFeePerGas = least(wanted, ceiling);
  if (maxFeePerGas < leastRaiseUp(previous.maxFeePerGas)) return undefined;
  const tipPerGas = least(most(raiseUp(previous.tipPerGas), quote.tipPerGas), maxFeePerGas);
  return tipPerGas < leastRaiseUp(previous.tipPerGas) ? undefined : { maxFeePerGas, tipPerGas };
}

const raiseUp = (wei: bigint) => (wei * RAISE_NUMERATOR) / RAISE_DENOMINATOR + 1n;
const leastRaiseUp = (wei: bigint) => most((wei * LEAST_RAISE_PERCENT + 99n) / 100n, wei + 1n);
const least = (a: bigint, b: bigint) => (a < b ? a : b);
const most = (a: bigint, b: bigint) => (a > b ? a : b);
