import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Fees, feeCeilingDown, firstFees, raisedFees } from './fees.ts';

const wei = fc.bigInt(0n, 10n ** 12n);
const gas = fc.bigInt(21_000n, 30_000_000n);
const budget = fc.bigInt(0n, 10n ** 20n);
const quote = fc.record({ baseFeePerGas: wei, tipPerGas: wei });

function firstOrNone(...[asked, ceiling]: Parameters<typeof firstFees>): Fees | undefined {
  try {
    return firstFees(asked, ceiling);
  } catch {
    return undefined;
  }
}

describe('fees', () => {
  test('never allow more than the budget, whatever the chain and its endpoints say', () => {
    fc.assert(
      fc.property(budget, gas, quote, fc.array(quote, { maxLength: 20 }), (mostWei, limit, asked, later) => {
        const ceiling = feeCeilingDown(mostWei, limit);
        let fees = firstOrNone(asked, ceiling);
        for (const next of later) {
          if (fees === undefined) return;
          expect(fees.maxFeePerGas * limit).toBeLessThanOrEqual(mostWei);
          expect(fees.tipPerGas).toBeLessThanOrEqual(fees.maxFeePerGas);
          fees = raisedFees(fees, next, ceiling);
        }
      }),
    );
  });

  test('that are raised are raised by a tenth at least in both numbers, as pools want it', () => {
    fc.assert(
      fc.property(budget, gas, quote, quote, (mostWei, limit, asked, next) => {
        const ceiling = feeCeilingDown(mostWei, limit);
        const fees = firstOrNone(asked, ceiling);
        const raised = fees === undefined ? undefined : raisedFees(fees, next, ceiling);
        if (fees === undefined || raised === undefined) return;
        expect(raised.maxFeePerGas * 10n).toBeGreaterThanOrEqual(fees.maxFeePerGas * 11n);
        expect(raised.tipPerGas * 10n).toBeGreaterThanOrEqual(fees.tipPerGas * 11n);
        expect(raised.tipPerGas).toBeGreaterThan(fees.tipPerGas);
      }),
    );
  });

  test('are refused where the ceiling does not cover the base fee', () => {
    expect(() => firstFees({ baseFeePerGas: 10n, tipPerGas: 1n }, 10n)).toThrow(
      expect.objectContaining({ code: 'FEES_TOO_HIGH', details: { baseFeePerGas: 10n, ceiling: 10n } }),
    );
    expect(firstFees({ baseFeePerGas: 10n, tipPerGas: 5n }, 12n)).toEqual({ maxFeePerGas: 12n, tipPerGas: 2n });
    expect(firstFees({ baseFeePerGas: 10n, tipPerGas: 5n }, 99n)).toEqual({ maxFeePerGas: 25n, tipPerGas: 5n });
  });
});
