import { describe, expect, it } from 'vitest';
import { claimMember } from './claim-member.ts';
import { type LeaseBench, openLeaseBench, renterKey, START_MS } from './lease-bench.fixture.ts';
import { memberStatus } from './member-status.ts';
import { recoverMembers } from './recover-members.ts';
import { startJob } from './start-job.ts';
import { takeVoucher } from './take-voucher.ts';
import { watchMembers } from './watch-members.ts';

/** Of the lease's 3,600 seconds; far more than the prepay. */
const AHEAD = 2_000n;

const recordOf = (bench: LeaseBench) => {
  const record = bench.desk.context.members.find(bench.leaseId);
  if (record === undefined) throw new Error('the lease is not there');
  return record;
};

/** Running, with one voucher up to `covered`, and a renter that is not heard of again. */
async function runAlone(bench: LeaseBench, covered: bigint): Promise<void> {
  bench.attach();
  const voucher = await bench.voucher(covered);
  await startJob(bench.desk, renterKey, { leaseId: bench.leaseId, rank: 0, setup: '', run: 'true', env: {}, voucher });
  while (recordOf(bench).state !== 'running') await new Promise((resolve) => setImmediate(resolve));
  void watchMembers(bench.desk);
}

/** In steps as long as the agent looks away, so that it never takes itself for asleep. */
async function pass(bench: LeaseBench, seconds: number): Promise<void> {
  for (let second = 0; second < seconds * 2; second += 1) await bench.clock.advance(500);
}

describe('a member with one large voucher', () => {
  it('runs as long as it covers, without a renter, and ends within a look of its end', async () => {
    await using bench = await openLeaseBench();
    await runAlone(bench, AHEAD);
    await pass(bench, 1_999);
    expect(recordOf(bench).state).toBe('running');
    await pass(bench, 2);
    expect(recordOf(bench)).toMatchObject({ state: 'stopped' });
    expect(recordOf(bench).reason).toContain('VOUCHER_STOPPED: delivered all of the 2000 device-seconds');
    expect((await claimMember(bench.desk, bench.leaseId, 'end')).units).toBe(AHEAD);
  });

  it('claims what it delivered, not what it holds a voucher for', async () => {
    await using bench = await openLeaseBench();
    await runAlone(bench, AHEAD);
    await pass(bench, 300);
    const status = await memberStatus(bench.desk, recordOf(bench));
    expect(status).toMatchObject({ deliveredUnits: 300n, coveredUnits: AHEAD });
    expect((await claimMember(bench.desk, bench.leaseId, 'the renter is back')).units).toBe(300n);
  });

  it('goes on as usual once the renter is back, and takes nothing smaller', async () => {
    await using bench = await openLeaseBench();
    await runAlone(bench, 300n);
    await pass(bench, 200);
    const take = async (units: bigint) => takeVoucher(bench.desk, renterKey, await bench.voucher(units));
    await expect(take(210n)).rejects.toMatchObject({ code: 'VOUCHER_DECREASED' });
    await expect(take(300n)).resolves.toMatchObject({ coveredUnits: 300n });
    await pass(bench, 95);
    await expect(take(310n)).resolves.toMatchObject({ deliveredUnits: 295n, coveredUnits: 310n });
    await pass(bench, 10);
    expect(recordOf(bench).state).toBe('running');
  });

  it('ends with the lease, however much the voucher says', async () => {
    await using bench = await openLeaseBench();
    await runAlone(bench, 1_000_000n);
    await pass(bench, 3_600);
    expect(recordOf(bench)).toMatchObject({ state: 'stopped', deliveredUnits: 3_600n });
    expect(recordOf(bench).reason).toContain('BUDGET_EXHAUSTED');
    expect((await claimMember(bench.desk, bench.leaseId, 'end')).units).toBe(3_600n);
  });

  it('is still covered after its agent was killed and started again', async () => {
    await using bench = await openLeaseBench();
    await runAlone(bench, AHEAD);
    await pass(bench, 100);
    await using later = await bench.restart();
    await recoverMembers(later.desk);
    void watchMembers(later.desk);
    await pass(later, 100);
    const status = await memberStatus(later.desk, recordOf(later));
    expect(status).toMatchObject({
      state: 'running',
      startedAtMs: START_MS,
      deliveredUnits: 200n,
      coveredUnits: AHEAD,
    });
  });
});
