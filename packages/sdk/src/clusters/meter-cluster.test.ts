import { openDigestSigner, signVoucher } from '@latent/protocol';
import { describe, expect, it } from 'vitest';
import { handOverMeter } from '../vouchers/hand-over-meter.ts';
import { planOffline } from '../vouchers/plan-offline.ts';
import { covers } from '../vouchers/voucher-order.ts';
import { domain, METER_SECRET, type MeterBench, openMeterBench, PREPAY, START_MS } from './meter-bench.fixture.ts';
import { meterCluster } from './meter-cluster.ts';

const HOUR_MS = 3_600_000;
const signer = openDigestSigner(METER_SECRET);

/** Lets the meter look so often, then ends it. */
async function meterFor(bench: MeterBench, ticks: number) {
  bench.afterTicks(ticks, () => bench.change({ stopRequested: 'enough' }));
  const end = await meterCluster(bench.context);
  bench.change({ stopRequested: null });
  return end;
}

describe('meterCluster', () => {
  it('hands out only what is stored, and never less than before', async () => {
    await using bench = await openMeterBench();
    const stored: boolean[] = [];
    for (const agent of bench.agents) agent.onVoucher = () => void stored.push(bench.record().voucher !== null);
    await meterFor(bench, 6);
    expect(stored).not.toContain(false);
    for (const { got } of bench.agents) {
      expect(got).toHaveLength(6);
      for (const [index, voucher] of got.entries()) {
        expect(index === 0 || covers(voucher, got[index - 1]!)).toBe(true);
      }
      expect(got.at(-1)).toEqual(bench.record().voucher);
      expect(got.at(-1)?.units).toEqual([BigInt(PREPAY + 15), BigInt(PREPAY + 15)]);
    }
  });

  it('goes on from the larger voucher that agents hold, where the record is an old copy', async () => {
    await using bench = await openMeterBench();
    const { leaseId } = bench.record();
    const held = await signVoucher(signer, domain, { leaseId, units: [900n, 800n], accrueFrom: [0, 0] });
    for (const [rank, agent] of bench.agents.entries()) {
      agent.held = held;
      agent.coveredUnits = held.units[rank];
    }
    await meterFor(bench, 2);
    expect(bench.record().voucher).toEqual(held);
    for (const { got } of bench.agents) for (const voucher of got) expect(covers(voucher, held)).toBe(true);
    expect(bench.told.join()).toContain('agents hold a larger voucher than this machine remembers');
  });

  it('believes no agent that says it holds more than it can show, and soon asks it no more', async () => {
    await using bench = await openMeterBench();
    const { leaseId } = bench.record();
    const [liar] = bench.agents;
    const forger = openDigestSigner(`0x${'44'.repeat(32)}`);
    liar!.coveredUnits = 99_000n;
    liar!.held = await signVoucher(forger, domain, { leaseId, units: [99_000n, 0n], accrueFrom: [0, 0] });
    await meterFor(bench, 8);
    expect(bench.record().voucher?.units[0]).toBeLessThan(100n);
    expect(liar!.heldAsks).toBe(3);
  });

  it('signs nothing new, nor sends anything, from the moment that it was handed over', async () => {
    await using bench = await openMeterBench();
    let handed = bench.record();
    // While the meter waits for an answer of rank 1.
    bench.agents[1]!.onVoucher = () => {
      if (bench.agents[1]!.got.length === 2) {
        handed = handOverMeter(bench.context.journal, 'bench', { nowMs: bench.nowMs(), again: false });
      }
    };
    expect(await meterCluster(bench.context)).toEqual({ kind: 'handed-over' });
    expect(bench.record().voucher).toEqual(handed.voucher);
    for (const { got } of bench.agents) expect(got.at(-1)).toEqual(handed.voucher);
  });

  it('does not store a voucher that it was signing when it was handed over', async () => {
    await using bench = await openMeterBench();
    await meterFor(bench, 1);
    const before = bench.record().voucher;
    const { journal } = bench.context;
    const late: typeof journal = {
      ...journal,
      update: (name, change) => {
        // At the last moment: the voucher is signed, and about to be written.
        if (change(journal.load(name)).voucher !== before) {
          handOverMeter(journal, name, { nowMs: bench.nowMs(), again: false });
        }
        return journal.update(name, change);
      },
    };
    expect(await meterCluster({ ...bench.context, journal: late })).toEqual({ kind: 'handed-over' });
    expect(bench.record().handedOverAtMs).toBeDefined();
    for (const { got } of bench.agents) expect(got.at(-1)).toEqual(before);
    expect(bench.record().voucher).toEqual(before);
  });

  it('pays ahead up to the return, says who holds it, and never signs less afterwards', async () => {
    await using bench = await openMeterBench();
    await meterFor(bench, 1);
    const untilMs = bench.nowMs() + 8 * HOUR_MS;
    const plan = planOffline(bench.record(), untilMs);
    bench.change({ offline: { untilMs, handed: [] } });
    await meterFor(bench, 1);
    const large = bench.record().voucher!;
    expect(large.units).toEqual([0, 1].map(() => BigInt(Math.ceil((untilMs - START_MS) / 1000))));
    expect(bench.record().offline?.handed).toEqual([0, 1]);
    expect(large.units[0]! + large.units[1]!).toBe(plan.inAllUp);
    for (const { got } of bench.agents) expect(got.at(-1)).toEqual(large);
    bench.sleepThrough(6 * HOUR_MS);
    await meterFor(bench, 3);
    expect(bench.record().voucher).toEqual(large);
    bench.sleepThrough(3 * HOUR_MS);
    await meterFor(bench, 3);
    expect(covers(bench.record().voucher!, large)).toBe(true);
    expect(bench.record().voucher).not.toEqual(large);
  });

  it('does not pay a member ahead that does not answer', async () => {
    await using bench = await openMeterBench();
    bench.agents[1]!.silent = true;
    bench.change({ offline: { untilMs: START_MS + HOUR_MS, handed: [] } });
    await meterFor(bench, 1);
    expect(bench.record().voucher?.units).toEqual([3_600n, BigInt(PREPAY)]);
    expect(bench.record().offline?.handed).toEqual([0]);
  });

  it('gives members time to answer after its own machine has slept', async () => {
    await using bench = await openMeterBench();
    bench.afterTicks(1, () => {
      for (const agent of bench.agents) agent.silent = true;
    });
    bench.sleepThrough(8 * HOUR_MS);
    bench.afterTicks(2, () => {
      for (const agent of bench.agents) agent.silent = false;
    });
    expect(await meterFor(bench, 4)).toMatchObject({ kind: 'stop-requested' });
    for (const agent of bench.agents) agent.silent = true;
    expect(await meterFor(bench, 20)).toMatchObject({ kind: 'failed', error: { code: 'MEMBER_LOST' } });
  });
});
