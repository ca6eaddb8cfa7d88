import { leaseTermsSchema, rateFromHourlyDown } from '@latent/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SessionOnChain } from './read-session.ts';
import { sessionShortfall } from './session-shortfall.ts';

const DOLLAR = 1_000_000n;
const OPEN_BY = 1_800_000_000;
const session: SessionOnChain = {
  ...{ spendLimit: 50n * DOLLAR, spent: 40n * DOLLAR, validUntil: OPEN_BY + 60 },
  ...{ maxRate: rateFromHourlyDown(2n * DOLLAR), maxDevices: 4 },
};

function termsOf({ deposit = 10n * DOLLAR, rate = session.maxRate, devices = 4 } = {}) {
  const address = (digit: string) => `0x${digit.repeat(40)}`;
  return leaseTermsSchema.parse({
    order: {
      ...{ renter: address('1'), session: address('2'), meterKey: address('3'), deposit, maxSeconds: 60 },
      ...{ closeWindow: 900, prepay: 10, maxFeeBps: 50, openBy: OPEN_BY, workload: `0x${'0'.repeat(64)}`, salt: 0n },
    },
    members: [{ ask: `0x${'a'.repeat(64)}`, operator: address('4'), agentKey: address('5'), devices, rate }],
  });
}

describe('what a session falls short of', () => {
  it('is nothing up to every limit', () => {
    expect(sessionShortfall(session, 10n * DOLLAR, termsOf())).toBeUndefined();
  });

  it.each([
    ['time', { ...session, validUntil: OPEN_BY - 1 }, {}, 'it ends at 2027-01-15T07:59Z'],
    ['time', { ...session, validUntil: 0 }, {}, 'it was never granted, or was revoked'],
    ['spend', session, { deposit: 10n * DOLLAR + 1n }, 'the lease locks $10.000001, and $10.00 of its $50.00 is left'],
    ['rate', session, { rate: session.maxRate + 1n }, 'per device-hour, and it allows $2.00'],
    ['devices', session, { devices: 5 }, 'the lease takes 5 devices, and it allows 4'],
  ] as const)('names %s, with both values', (limit, onChain, change, text) => {
    const shortfall = sessionShortfall(onChain, 1_000n * DOLLAR, termsOf(change));
    expect(shortfall?.limit).toBe(limit);
    expect(shortfall?.text).toContain(text);
  });

  it('names the balance last', () => {
    expect(sessionShortfall(session, 10n * DOLLAR - 1n, termsOf())).toMatchObject({
      limit: 'balance',
      text: 'the lease locks $10.00, and the balance holds $9.999999',
    });
  });

  it('never lets more be spent than the limit, also where that was lowered below what is spent', () => {
    const amount = fc.bigInt({ min: 0n, max: 100n * DOLLAR });
    fc.assert(
      fc.property(amount, amount, amount, (spendLimit, spent, deposit) => {
        const shortfall = sessionShortfall({ ...session, spendLimit, spent }, 1_000n * DOLLAR, termsOf({ deposit }));
        expect(shortfall === undefined).toBe(spent + deposit <= spendLimit);
      }),
    );
  });
});
