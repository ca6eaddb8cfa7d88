import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { followedLease } from '../lease.fixture.ts';
import {
  type BatchLimits,
  batchGas,
  costUp,
  type GasPrice,
  type PricedWish,
  selectBatch,
  TRANSACTION_GAS,
  weiOfDown,
} from './select-batch.ts';

const lease = followedLease();
const row = (worth: bigint, gas: bigint, isDue = false, leastPermille = 1_000n): PricedWish => ({
  wish: { deed: 'checkpoint', lease, voucher: undefined, claims: [], worth, isDue, leastPermille, why: 'a test' },
  gas,
});
const price: GasPrice = { weiPerGas: 50_000_000n, unitsPerEther: 3_000_000_000n };
const limits: BatchLimits = {
  ...{ minWorth: 20_000_000n, gasTimes: 1_000n, leftWei: undefined, mostRows: 64, mostGas: 12_000_000n },
};

const rows = fc.array(
  fc.record({
    worth: fc.bigInt({ min: 0n, max: 10n ** 11n }),
    gas: fc.bigInt({ min: 21_000n, max: 500_000n }),
    isDue: fc.boolean(),
    leastPermille: fc.bigInt({ min: 1_000n, max: 1_250n }),
  }),
  { maxLength: 30 },
);
const prices = fc.record({
  weiPerGas: fc.bigInt({ min: 1n, max: 10n ** 12n }),
  unitsPerEther: fc.bigInt({ min: 1n, max: 10n ** 11n }),
});
const anyLimits = fc.record({
  minWorth: fc.bigInt({ min: 0n, max: 10n ** 9n }),
  gasTimes: fc.bigInt({ min: 1n, max: 10_000n }),
  leftWei: fc.option(fc.bigInt({ min: 0n, max: 10n ** 18n }), { nil: undefined }),
  mostRows: fc.integer({ min: 1, max: 40 }),
  mostGas: fc.bigInt({ min: 100_000n, max: 12_000_000n }),
});
const drawRows = (drawn: readonly { worth: bigint; gas: bigint; isDue: boolean; leastPermille: bigint }[]) =>
  drawn.map(({ worth, gas, isDue, leastPermille }) => row(worth, gas, isDue, leastPermille));

describe('what is worth a transaction', () => {
  it('never costs more than it saves: no row, not all together, not by any fee that is allowed', () => {
    fc.assert(
      fc.property(rows, prices, anyLimits, (drawn, gasPrice, given) => {
        const batch = selectBatch(drawRows(drawn), gasPrice, given);
        if (batch === undefined) return;
        expect(batch.rows.length).toBeGreaterThan(0);
        expect(batch.rows.length).toBeLessThanOrEqual(given.mostRows);
        for (const { wish, gas } of batch.rows) {
          expect(wish.worth).toBeGreaterThanOrEqual(costUp(gas - TRANSACTION_GAS, gasPrice));
        }
        const worth = batch.rows.reduce((sum, { wish }) => sum + wish.worth, 0n);
        expect(batch.worth).toBe(worth);
        expect(worth).toBeGreaterThanOrEqual(costUp(batchGas(batch.rows), gasPrice));
        // What the sender may pay, in the worst case, is not more than it is worth.
        expect((batch.mostWei * gasPrice.unitsPerEther) / 10n ** 18n).toBeLessThanOrEqual(worth);
        if (given.leftWei !== undefined) expect(batch.mostWei).toBeLessThanOrEqual(given.leftWei);
        expect(batch.mostWei).toBeGreaterThanOrEqual(batch.gas * gasPrice.weiPerGas);
        expect(batch.gas).toBeLessThanOrEqual(given.mostGas);
      }),
    );
  });

  it('takes nothing that is not due for less than the multiple', () => {
    fc.assert(
      fc.property(rows, prices, anyLimits, (drawn, gasPrice, given) => {
        for (const { wish, gas } of selectBatch(drawRows(drawn), gasPrice, given)?.rows ?? []) {
          if (wish.isDue) continue;
          expect(wish.worth).toBeGreaterThanOrEqual(given.minWorth);
          expect(wish.worth).toBeGreaterThanOrEqual(costUp(gas - TRANSACTION_GAS, gasPrice) * given.gasTimes);
        }
      }),
    );
  });

  it('still sends when gas gets cheaper, as far as nothing else bounds it', () => {
    fc.assert(
      fc.property(rows, prices, fc.bigInt({ min: 1n, max: 10n }), (drawn, gasPrice, cheaper) => {
        const given = { ...limits, mostRows: 1_000, mostGas: 10n ** 9n };
        const before = selectBatch(drawRows(drawn), gasPrice, given);
        const after = selectBatch(
          drawRows(drawn),
          { ...gasPrice, weiPerGas: gasPrice.weiPerGas / cheaper + 1n },
          given,
        );
        if (before !== undefined && gasPrice.weiPerGas > 1n) {
          expect(after?.rows.length).toBeGreaterThanOrEqual(before.rows.length);
        }
      }),
    );
  });

  it('is not sent for one small row, but for many that share the transaction', () => {
    const dear = { ...price, weiPerGas: 10_000_000_000n };
    // What it adds costs $0.90 and the transaction $0.63.
    const due = row(1_000_000n, 51_000n, true);
    expect(selectBatch([due], dear, limits)).toBeUndefined();
    expect(selectBatch([due, due, due, due, due, due, due], dear, limits)?.rows).toHaveLength(7);
  });

  it('takes what is due before what brings more', () => {
    const due = row(1_000_000n, 60_000n, true);
    const large = row(900_000_000_000n, 60_000n);
    expect(selectBatch([large, due], price, { ...limits, mostRows: 1 })?.rows).toEqual([due]);
  });

  it('waits when the budget of the day is used up', () => {
    const due = row(1_000_000n, 60_000n, true);
    expect(selectBatch([due], price, { ...limits, leftWei: 0n })).toBeUndefined();
    expect(selectBatch([due], price, { ...limits, leftWei: 60_000n * 50_000_000n })?.mostWei).toBe(3_000_000_000_000n);
  });

  it('lets others who watch the same lease wait for more', () => {
    const early = row(20_000_000n, 60_000n);
    const late = row(20_000_000n, 60_000n, false, 1_100n);
    expect(selectBatch([early], price, limits)?.rows).toHaveLength(1);
    expect(selectBatch([late], price, limits)).toBeUndefined();
  });

  it('turns money into wei and back without gaining any', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), fc.bigInt({ min: 1n, max: 10n ** 12n }), (units, rate) => {
        const wei = weiOfDown(units, rate);
        expect(costUp(wei, { weiPerGas: 1n, unitsPerEther: rate })).toBeLessThanOrEqual(units);
      }),
    );
  });
});
