import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MeterBench, openMeterBench, START_MS } from '../clusters/meter-bench.fixture.ts';
import { planOffline } from './plan-offline.ts';

const HOUR_MS = 3_600_000;

async function recordOf(work: (bench: MeterBench) => void = () => {}) {
  await using bench = await openMeterBench();
  work(bench);
  return bench.record();
}

describe('planOffline', () => {
  it('says what it can cost at most, per hour, from now on and in all', async () => {
    // A base unit for each second of each of two devices; ten minutes have been delivered.
    const record = await recordOf();
    const members = record.members.map((view) => ({ ...view, deliveredUnits: 600n }));
    expect(planOffline({ ...record, members }, START_MS + 2 * HOUR_MS)).toEqual({
      untilMs: START_MS + 2 * HOUR_MS,
      perHourUp: 7_200n,
      fromNowUp: 13_200n,
      inAllUp: 14_400n,
      isBudgetShort: false,
      leftOut: [],
    });
  });

  it('ends with the lease', async () => {
    const record = await recordOf();
    const plan = planOffline(record, START_MS + 1_000 * HOUR_MS);
    expect(plan.untilMs).toBe(START_MS + record.terms.order.maxSeconds * 1000);
    expect(plan.inAllUp).toBe(record.terms.order.deposit);
    expect(plan.isBudgetShort).toBe(false);
  });

  it('says where the deposit does not last', async () => {
    const record = await recordOf();
    const terms = { ...record.terms, order: { ...record.terms.order, deposit: 1_000n } };
    const plan = planOffline({ ...record, terms }, START_MS + 2 * HOUR_MS);
    expect(plan).toMatchObject({ inAllUp: 1_000n, isBudgetShort: true });
  });

  it('leaves out ranks that do not run or whose job has ended', async () => {
    const record = await recordOf();
    const [first, second] = [record.members[0]!, record.members[1]!];
    const ended = { ...second, job: { kind: 'exited' as const, code: 0 } };
    for (const members of [
      [first, ended],
      [first, { ...second, state: 'preparing' as const }],
      [first, { ...second, countedFromMs: 0 }],
    ]) {
      const plan = planOffline({ ...record, members }, START_MS + HOUR_MS);
      expect(plan).toMatchObject({ leftOut: [1], perHourUp: 3_600n, inAllUp: 3_600n });
    }
  });

  it('never says less than what was signed for already, nor more than the deposit', async () => {
    const record = await recordOf();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000 * HOUR_MS }), fc.bigInt({ min: 0n, max: 90_000n }), (ms, signed) => {
        const voucher = { leaseId: record.leaseId, units: [signed, 0n], accrueFrom: [0, 0], signature: '0x' as const };
        const plan = planOffline({ ...record, voucher }, START_MS + ms);
        expect(plan.inAllUp).toBeGreaterThanOrEqual(signed);
        expect(plan.inAllUp).toBeLessThanOrEqual(record.terms.order.deposit);
      }),
    );
  });
});
