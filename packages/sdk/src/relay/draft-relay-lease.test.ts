import { RELAY_UNIT_BYTES, relayRateDown, requiredDeposit, type SignedRelayAsk } from '@latent/protocol';
import fc from 'fast-check';
import { getAddress, zeroHash } from 'viem';
import { describe, expect, it } from 'vitest';
import { draftRelayLease } from './draft-relay-lease.ts';

const ACCOUNT = getAddress(`0x${'22'.repeat(20)}`);
const domain = { chainId: 31_337, escrow: ACCOUNT };

function offerOf(price: bigint, devices = 1_024): SignedRelayAsk {
  return {
    ask: {
      ...{ operator: ACCOUNT, agentKey: ACCOUNT, resource: zeroHash, devices, rate: relayRateDown(price) },
      ...{ maxSeconds: 86_400, closeWindow: 900, prepay: 10, maxFeeBps: 50, validUntil: 1, epoch: 0, salt: 1n },
    },
    relay: { book: 'https://book.example', unitBytes: RELAY_UNIT_BYTES },
    signature: `0x${'11'.repeat(65)}`,
  };
}

const draft = (offer: SignedRelayAsk, budget: bigint) =>
  draftRelayLease({
    ...{ domain, offer, budget, renter: ACCOUNT, meterKey: ACCOUNT, nowSeconds: 1, workload: zeroHash, salt: 1n },
  });

describe('the terms of a relay lease', () => {
  it('spread the budget over an hour: half a dollar at a cent per GiB is 14 MiB a second', () => {
    const terms = draft(offerOf(10_000n), 500_000n);
    expect(terms?.members).toMatchObject([{ devices: 14 }]);
    expect(terms?.order.maxSeconds).toBe(3_600);
  });

  it('never need a larger deposit than the budget, nor more devices than are for sale', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 10_000_000n }),
        fc.bigInt({ min: 0n, max: 100_000_000n }),
        fc.integer({ min: 1, max: 1_024 }),
        (price, budget, devices) => {
          const terms = draft(offerOf(price, devices), budget);
          if (terms === undefined) return;
          const { members, order } = terms;
          expect(order.deposit).toBe(requiredDeposit(members, order.maxSeconds));
          expect(order.deposit).toBeLessThanOrEqual(budget);
          expect(members[0]?.devices).toBeLessThanOrEqual(devices);
          expect(order.maxSeconds).toBeGreaterThanOrEqual(60);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('take no more devices than a session key may', () => {
    const from = { domain, offer: offerOf(10_000n), budget: 500_000n, renter: ACCOUNT, meterKey: ACCOUNT };
    const terms = draftRelayLease({ ...from, nowSeconds: 1, workload: zeroHash, salt: 1n, mostDevices: 8 });
    expect(terms?.members).toMatchObject([{ devices: 8 }]);
  });

  it('are none where the budget is too small for a minute', () => {
    expect(draft(offerOf(10_000n), 100n)).toBeUndefined();
    expect(draft(offerOf(10_000n), 0n)).toBeUndefined();
  });
});
