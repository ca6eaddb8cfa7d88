import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chargeDown, chargeUp, hourlyFromRateUp, RATE_SCALE, rateFromHourlyDown } from './rate.ts';

const rates = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const units = fc.bigInt({ min: 0n, max: 2n ** 96n - 1n });

describe('rates', () => {
  it('give back the hourly price they came from', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 62n }), (hourly) => {
        expect(hourlyFromRateUp(rateFromHourlyDown(hourly))).toBe(hourly);
      }),
    );
  });

  it('never show an hour cheaper than it is charged, nor dearer by a base unit or more', () => {
    fc.assert(
      fc.property(rates, (rate) => {
        const exact = rate * 3_600n;
        const shown = hourlyFromRateUp(rate) * RATE_SCALE;
        return shown >= exact && shown - exact < RATE_SCALE;
      }),
    );
  });

  it('charge down and secure up, less than one base unit apart', () => {
    fc.assert(
      fc.property(units, rates, (delivered, rate) => {
        const exact = delivered * rate;
        const [down, up] = [chargeDown(delivered, rate), chargeUp(delivered, rate)];
        expect(down * RATE_SCALE <= exact && exact <= up * RATE_SCALE).toBe(true);
        expect(up - down).toBe(exact % RATE_SCALE === 0n ? 0n : 1n);
      }),
    );
  });

  it('turn $2 per hour into the rate of the contract', () => {
    expect(rateFromHourlyDown(2_000_000n)).toBe(555_555_555_555n);
    expect(chargeDown(3_600n, 555_555_555_555n)).toBe(1_999_999n);
    expect(chargeUp(3_600n, 555_555_555_555n)).toBe(2_000_000n);
  });
});
