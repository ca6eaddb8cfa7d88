import { leaseIdSchema, memberSchema, orderSchema, peerKeySchema } from '@latent/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MemberRecord, memberRecordSchema } from './member-record.ts';
import { claimableUnits, deliveredUnits, prepaidUnits, stopReason } from './metering.ts';

const START_MS = 1_800_000_000_000;
const hex = (digit: string) => `0x${digit.repeat(64)}`;
const address = (digit: string) => `0x${digit.repeat(40)}`;
const signature = `0x${'1'.repeat(130)}`;

function makeRecord(
  change: {
    readonly devices?: number;
    readonly covered?: bigint;
    readonly maxSeconds?: number;
  } & Partial<MemberRecord>,
): MemberRecord {
  const { devices = 1, covered = 0n, maxSeconds = 3_600, ...rest } = change;
  const leaseId = leaseIdSchema.parse(hex('a'));
  const record = memberRecordSchema.parse({
    leaseId,
    index: 0,
    ask: hex('b'),
    terms: {
      order: orderSchema.parse({
        renter: address('1'),
        session: address('0'),
        meterKey: address('2'),
        deposit: 10n,
        maxSeconds,
        closeWindow: 900,
        prepay: 10,
        maxFeeBps: 50,
        openBy: 0,
        workload: hex('0'),
        salt: 0n,
      }),
      members: [
        memberSchema.parse({ ask: hex('b'), operator: address('3'), agentKey: address('4'), devices, rate: 5n }),
      ],
    },
    openedAt: START_MS / 1000,
    peerKey: peerKeySchema.parse(hex('c')),
    state: 'running',
    reason: null,
    job: null,
    setup: null,
    run: null,
    startedAtMs: START_MS,
    lastSeenMs: START_MS,
    deliveredUnits: 0n,
    voucher: { leaseId, units: [covered], accrueFrom: [0], signature },
    claim: null,
  });
  return { ...record, ...rest };
}

describe('metering a member', () => {
  it('counts whole seconds of every device while it runs', () => {
    expect(deliveredUnits(makeRecord({ devices: 4 }), START_MS + 2_999)).toBe(8n);
  });

  it('stands still once the member is stopped', () => {
    expect(deliveredUnits(makeRecord({ state: 'stopped', deliveredUnits: 7n }), START_MS + 900_000)).toBe(7n);
  });

  it('counts nothing beyond the end of the lease', () => {
    expect(deliveredUnits(makeRecord({ maxSeconds: 60 }), START_MS + 900_000)).toBe(60n);
  });

  it('lets a member go on while its voucher covers more than it delivered, and ends it the moment it does not', () => {
    const record = makeRecord({ covered: 10n });
    expect(stopReason(record, START_MS + 9_999, 0)).toBeUndefined();
    expect(stopReason(record, START_MS + 10_000, 0)).toMatch(/^VOUCHER_STOPPED/);
  });

  it('gives the renter one prepay to send a voucher after the agent was away, and no longer', () => {
    const record = makeRecord({ covered: 10n });
    const backMs = START_MS + 14_000;
    expect(stopReason(record, backMs, backMs)).toBeUndefined();
    expect(stopReason(record, backMs + 9_999, backMs)).toBeUndefined();
    expect(stopReason(record, backMs + 10_000, backMs)).toMatch(/^VOUCHER_STOPPED/);
  });

  it('ends a member at the end of its lease, whatever the voucher covers', () => {
    expect(stopReason(makeRecord({ covered: 9_999n, maxSeconds: 60 }), START_MS + 60_000, 0)).toMatch(
      /^BUDGET_EXHAUSTED/,
    );
  });

  it('claims what was delivered and signed for, never more than either', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10_000n }), fc.bigInt({ min: 0n, max: 10_000n }), (delivered, covered) => {
        const claim = claimableUnits(makeRecord({ state: 'stopped', deliveredUnits: delivered, covered }));
        expect(claim <= delivered && claim <= covered && (claim === delivered || claim === covered)).toBe(true);
      }),
    );
  });

  it('wants the prepay of all devices in advance, but no more than the lease is long', () => {
    expect(prepaidUnits(makeRecord({ devices: 3 }))).toBe(30n);
    expect(prepaidUnits(makeRecord({ devices: 3, maxSeconds: 4 }))).toBe(12n);
  });

  it('delivers no unpaid second: what is delivered before the member is ended is covered', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 16 }),
        fc.integer({ min: 0, max: 100_000 }),
        fc.bigInt({ min: 0n, max: 1_000n }),
        (devices, elapsedMs, covered) => {
          const record = makeRecord({ devices, covered });
          const nowMs = START_MS + elapsedMs;
          if (stopReason(record, nowMs, 0) === undefined) expect(deliveredUnits(record, nowMs)).toBeLessThan(covered);
        },
      ),
    );
  });
});
