import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RELAY_UNIT_BYTES } from '../messages/relay-ask.ts';
import { chargeDown } from '../money/rate.ts';
import { payableRelayBytes, pricePerGibUp, relayRateDown, relayUnitsDown } from './relay-metering.ts';

describe('relayed bytes as units', () => {
  it('are rounded down, and count once however they are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 200_000 })), (parts) => {
        const bytes = parts.reduce((sum, part) => sum + part, 0);
        const units = relayUnitsDown(bytes);
        expect(Number(units) * RELAY_UNIT_BYTES).toBeLessThanOrEqual(bytes);
        expect(Number(units + 1n) * RELAY_UNIT_BYTES).toBeGreaterThan(bytes);
        expect(parts.reduce((sum, part) => sum + relayUnitsDown(part), 0n)).toBeLessThanOrEqual(units);
      }),
    );
  });

  it('may not outrun the voucher, nor the devices of the lease', () => {
    const clock = { devices: 3, openedAt: 1_000, stopAt: 0, maxSeconds: 100, prepay: 10, accrueFrom: 0 };
    expect(payableRelayBytes(1_000n, clock, 1_000)).toBe(30 * RELAY_UNIT_BYTES);
    expect(payableRelayBytes(1_000n, clock, 1_050)).toBe(180 * RELAY_UNIT_BYTES);
    expect(payableRelayBytes(20n, clock, 1_050)).toBe(20 * RELAY_UNIT_BYTES);
    expect(payableRelayBytes(1_000n, { ...clock, stopAt: 1_020 }, 1_090)).toBe(90 * RELAY_UNIT_BYTES);
  });

  it('cost no more than the price per GiB says', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 12n }), (price) => {
        const rate = relayRateDown(price);
        expect(chargeDown(1_024n, rate)).toBeLessThanOrEqual(price);
        expect(pricePerGibUp(rate)).toBeLessThanOrEqual(price);
        expect(price - chargeDown(1_024n, rate)).toBeLessThanOrEqual(1n);
      }),
    );
  });
});
