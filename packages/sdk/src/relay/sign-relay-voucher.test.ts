import {
  chargeUp,
  type LeaseTerms,
  leaseTermsSchema,
  RELAY_UNIT_BYTES,
  relayRateDown,
  relayUnitsDown,
  type SignedVoucher,
  signedVoucherSchema,
} from '@latent/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { believedBytes, nextRelayUnits, unitsAhead } from './sign-relay-voucher.ts';

const HEX32 = `0x${'11'.repeat(32)}`;
const ACCOUNT = `0x${'22'.repeat(20)}`;
const MIB = RELAY_UNIT_BYTES;

function termsOf(devices: number, maxSeconds: number, price = 10_000n): LeaseTerms {
  return leaseTermsSchema.parse({
    order: {
      ...{ renter: ACCOUNT, session: ACCOUNT, meterKey: ACCOUNT, deposit: '1', maxSeconds, closeWindow: 900 },
      ...{ prepay: 10, maxFeeBps: 50, openBy: 1, workload: HEX32, salt: '1' },
    },
    members: [{ ask: HEX32, operator: ACCOUNT, agentKey: ACCOUNT, devices, rate: relayRateDown(price) }],
  });
}

const voucherOf = (units: bigint): SignedVoucher =>
  signedVoucherSchema.parse({ leaseId: HEX32, units: [units], accrueFrom: [0], signature: `0x${'33'.repeat(65)}` });

describe('the next voucher for a relay', () => {
  it('covers a step ahead, and is not signed anew while most of the step is left', () => {
    const terms = termsOf(10, 3_600);
    expect(unitsAhead({ terms })).toBe(100n);
    expect(nextRelayUnits({ terms, voucher: null }, 0, 10_000_000n)).toBe(100n);
    const lease = { terms, voucher: voucherOf(100n) };
    expect(nextRelayUnits(lease, 24 * MIB, 10_000_000n)).toBe(100n);
    expect(nextRelayUnits(lease, 25 * MIB, 10_000_000n)).toBe(125n);
  });

  it('never promises less than before, more than lease or budget, or more than a step beyond what was used', () => {
    fc.assert(
      fc.property(
        fc.record({
          devices: fc.integer({ min: 1, max: 200 }),
          seconds: fc.integer({ min: 60, max: 3_600 }),
          signed: fc.bigInt({ min: 0n, max: 100_000n }),
          usedBytes: fc.integer({ min: 0, max: 100_000 * MIB }),
          left: fc.bigInt({ min: 0n, max: 1_000_000n }),
        }),
        ({ devices, seconds, signed, usedBytes, left }) => {
          const terms = termsOf(devices, seconds);
          const most = BigInt(devices * seconds);
          fc.pre(signed <= most);
          const units = nextRelayUnits({ terms, voucher: voucherOf(signed) }, usedBytes, left);
          const rate = terms.members[0]?.rate ?? 0n;
          expect(units).toBeGreaterThanOrEqual(signed);
          expect(units).toBeLessThanOrEqual(most);
          expect(chargeUp(units, rate) - chargeUp(signed, rate)).toBeLessThanOrEqual(left);
          if (units > signed) expect(units).toBeLessThanOrEqual(relayUnitsDown(usedBytes) + unitsAhead({ terms }));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('is not for what a book makes up beyond what was counted here, an eighth and 16 MiB for what was lost', () => {
    expect(believedBytes(10 * MIB, 10 * MIB)).toBe(10 * MIB);
    expect(believedBytes(1_000_000 * MIB, 0)).toBe(16 * MIB);
    expect(believedBytes(1_000_000 * MIB, 800 * MIB)).toBe(916 * MIB);
    expect(believedBytes(5 * MIB, 800 * MIB)).toBe(5 * MIB);
  });
});
