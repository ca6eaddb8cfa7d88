import { recoverClose } from '@latent/protocol';
import { describe, expect, it } from 'vitest';
import { claimMember } from './claim-member.ts';
import { type LeaseBench, openLeaseBench, PREPAY, renterKey, START_MS, strangerKey } from './lease-bench.fixture.ts';
import { freeDevices } from './lease-desk.ts';
import { memberStatus } from './member-status.ts';
import { recoverMembers } from './recover-members.ts';
import { startJob } from './start-job.ts';
import { stopMember } from './stop-member.ts';
import { takeVoucher } from './take-voucher.ts';

const prepaid = BigInt(PREPAY);

/** Attached and running, paid up to `covered` device-seconds. */
async function start(
  bench: LeaseBench,
  { setup = '', covered = prepaid, env = {} }: { setup?: string; covered?: bigint; env?: Record<string, string> } = {},
) {
  bench.attach();
  const voucher = await bench.voucher(covered);
  return startJob(bench.desk, renterKey, { leaseId: bench.leaseId, rank: 0, setup, run: 'true', env, voucher });
}

/** Until the record says so: the agent carries members in the background. */
async function until(bench: LeaseBench, state: string): Promise<void> {
  while (bench.desk.context.members.find(bench.leaseId)?.state !== state)
    await new Promise((resolve) => setImmediate(resolve));
}

const recordOf = (bench: LeaseBench) => {
  const record = bench.desk.context.members.find(bench.leaseId);
  if (record === undefined) throw new Error('the lease is not there');
  return record;
};

describe('a member', () => {
  it('does not start before its prepay is covered', async () => {
    await using bench = await openLeaseBench();
    await expect(start(bench, { covered: prepaid - 1n })).rejects.toMatchObject({ code: 'VOUCHER_STOPPED' });
    expect(recordOf(bench).state).toBe('attached');
  });

  it('runs once it is covered, and answers a repeated start as the first', async () => {
    await using bench = await openLeaseBench();
    await start(bench);
    await until(bench, 'running');
    const again = await startJob(bench.desk, renterKey, {
      leaseId: bench.leaseId,
      rank: 0,
      setup: '',
      run: 'other',
      env: {},
      voucher: await bench.voucher(prepaid),
    });
    expect(again.job?.run).toBe('true');
    expect(recordOf(bench).startedAtMs).toBe(START_MS);
  });

  it('is not metered while it sets up, nor ever if its setup fails', async () => {
    await using bench = await openLeaseBench();
    await start(bench, { setup: 'make', env: { LATENT_MOCK_EXIT_AFTER_MS: '5000', LATENT_MOCK_EXIT_CODE: '2' } });
    await bench.clock.untilSleeping(1);
    await bench.clock.advance(60_000);
    await until(bench, 'stopped');
    const status = await memberStatus(bench.desk, recordOf(bench));
    expect(status).toMatchObject({ deliveredUnits: 0n, startedAtMs: 0, job: { kind: 'exited', code: 2 } });
    expect(status.reason).toContain('setup');
  });

  it('obeys nobody but the key that the lease was attached with', async () => {
    await using bench = await openLeaseBench();
    bench.attach();
    const voucher = await bench.voucher(prepaid);
    await expect(takeVoucher(bench.desk, strangerKey, voucher)).rejects.toMatchObject({ code: 'LEASE_NOT_MINE' });
  });

  it('takes no voucher of another key, for less than before, or that starts the clock later', async () => {
    await using bench = await openLeaseBench();
    await start(bench);
    const take = async (...args: Parameters<LeaseBench['voucher']>) =>
      takeVoucher(bench.desk, renterKey, await bench.voucher(...args));
    await expect(take(99n, { signer: 'stranger' })).rejects.toMatchObject({ code: 'VOUCHER_BAD_SIGNATURE' });
    await expect(take(prepaid - 1n)).rejects.toMatchObject({ code: 'VOUCHER_DECREASED' });
    await expect(take(99n, { accrueFrom: START_MS / 1000 })).rejects.toMatchObject({ code: 'VOUCHER_DECREASED' });
    expect(recordOf(bench).voucher?.units).toEqual([prepaid]);
    await expect(take(99n)).resolves.toMatchObject({ coveredUnits: 99n });
  });

  it('stands still once stopped, and stopping it again changes nothing', async () => {
    await using bench = await openLeaseBench();
    await start(bench, { covered: 100n });
    await until(bench, 'running');
    await bench.clock.advance(7_900);
    await stopMember(bench.desk, bench.leaseId, 'first');
    await bench.clock.advance(60_000);
    await stopMember(bench.desk, bench.leaseId, 'second');
    expect(recordOf(bench)).toMatchObject({ state: 'stopped', reason: 'first', deliveredUnits: 7n });
  });

  it('claims what it delivered and was covered, once: a second claim is the first one', async () => {
    await using bench = await openLeaseBench();
    await start(bench);
    await until(bench, 'running');
    await bench.clock.advance(25_000);
    const claim = await claimMember(bench.desk, bench.leaseId, 'end');
    expect(claim.units).toBe(prepaid);
    expect(await recoverClose(bench.desk.context.chain.domain, claim)).toBe(bench.desk.context.identity.agent.address);
    await takeVoucher(bench.desk, renterKey, await bench.voucher(500n));
    expect(await claimMember(bench.desk, bench.leaseId, 'again')).toEqual(claim);
  });

  it('keeps its machine taken until its money is settled', async () => {
    await using bench = await openLeaseBench();
    expect(freeDevices(bench.desk)).toBe(1);
    await start(bench);
    await until(bench, 'running');
    await claimMember(bench.desk, bench.leaseId, 'end');
    expect(freeDevices(bench.desk)).toBe(0);
  });
});

describe('an agent that was killed', () => {
  it('goes on with a running job, and counts from its one start', async () => {
    await using bench = await openLeaseBench();
    await start(bench, { covered: 1_000n });
    await until(bench, 'running');
    await bench.clock.advance(4_000);
    await using later = await bench.restart();
    await later.clock.advance(3_000);
    await recoverMembers(later.desk);
    const status = await memberStatus(later.desk, recordOf(later));
    expect(status).toMatchObject({ state: 'running', startedAtMs: START_MS, deliveredUnits: 7n });
    expect(later.desk.carried.size).toBe(1);
  });

  it('takes up a job that it started and was killed before it could note', async () => {
    await using bench = await openLeaseBench();
    await start(bench);
    await until(bench, 'running');
    const { run } = recordOf(bench);
    bench.desk.context.members.save({ ...recordOf(bench), state: 'preparing', run: null, startedAtMs: 0 });
    await using later = await bench.restart();
    await recoverMembers(later.desk);
    await until(later, 'running');
    expect(recordOf(later).run).toEqual(run);
  });

  it('learns how a job ended that ended without it', async () => {
    await using bench = await openLeaseBench();
    await start(bench, { env: { LATENT_MOCK_EXIT_AFTER_MS: '5000', LATENT_MOCK_EXIT_CODE: '3' } });
    await until(bench, 'running');
    await using later = await bench.restart();
    await later.clock.advance(6_000);
    await recoverMembers(later.desk);
    await Promise.all(later.desk.carried.values());
    expect((await memberStatus(later.desk, recordOf(later))).job).toEqual({ kind: 'exited', code: 3 });
  });

  it('claims for a job that is gone no more than up to when it was last seen', async () => {
    await using bench = await openLeaseBench();
    await start(bench, { covered: 1_000n, env: { LATENT_MOCK_EXIT_AFTER_MS: '5000', LATENT_MOCK_FAULTS: 'vanish' } });
    await until(bench, 'running');
    bench.desk.context.members.save({ ...recordOf(bench), lastSeenMs: START_MS + 4_000 });
    await using later = await bench.restart();
    await later.clock.advance(60_000);
    await recoverMembers(later.desk);
    expect(recordOf(later)).toMatchObject({ state: 'stopped', deliveredUnits: 4n });
    expect(recordOf(later).reason).toContain('MEMBER_LOST');
  });

  it('still has its holds, its vouchers and its claim', async () => {
    await using bench = await openLeaseBench();
    await start(bench);
    await until(bench, 'running');
    const claim = await claimMember(bench.desk, bench.leaseId, 'end');
    bench.desk.context.holds.save({
      ask: recordOf(bench).ask,
      renter: bench.terms.order.renter,
      devices: 1,
      heldUntil: START_MS / 1000 + 30,
    });
    await using later = await bench.restart();
    expect(await claimMember(later.desk, later.leaseId, 'again')).toEqual(claim);
    expect(later.desk.context.holds.current(START_MS / 1000)).toHaveLength(1);
    expect(later.desk.context.holds.current(START_MS / 1000 + 30)).toHaveLength(0);
  });
});
