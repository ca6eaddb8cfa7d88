import { LatentError } from '@latent/protocol';
import { expect, test } from 'vitest';
import type { Driver } from '../drivers/driver.ts';
import { openLeaseBench, PREPAY, renterKey } from './lease-bench.fixture.ts';
import type { LeaseDesk } from './lease-desk.ts';
import { recoverMembers } from './recover-members.ts';
import { startJob } from './start-job.ts';
import { stopMember } from './stop-member.ts';

/** The desk, with a driver whose engine is away for the first calls that end a job. */
function withoutEngine(desk: LeaseDesk, calls: number): LeaseDesk & { readonly stops: () => number } {
  const { driver } = desk.context;
  let stops = 0;
  const away: Driver = {
    ...driver,
    async stop(handle, options) {
      stops += 1;
      if (stops <= calls) throw new LatentError('DRIVER_UNAVAILABLE', 'The container engine has not answered.');
      await driver.stop(handle, options);
    },
  };
  return { ...desk, context: { ...desk.context, driver: away }, stops: () => stops };
}

test('a job whose driver is away is ended once that is back, and the member is stopped at once', async () => {
  await using bench = await openLeaseBench();
  const desk = withoutEngine(bench.desk, 2);
  bench.attach();
  const voucher = await bench.voucher(BigInt(PREPAY));
  await startJob(desk, renterKey, { leaseId: bench.leaseId, rank: 0, setup: '', run: 'true', env: {}, voucher });
  const find = () => desk.context.members.find(bench.leaseId);
  while (find()?.state !== 'running') await new Promise(setImmediate);
  const handle = find()?.run?.handle;
  if (handle === undefined) throw new Error('the job has no handle');
  expect((await stopMember(desk, bench.leaseId, 'the renter stopped it'))?.state).toBe('stopped');
  expect((await desk.context.driver.recover(handle)).kind).toBe('running');
  while ((await desk.context.driver.recover(handle)).kind === 'running') await bench.clock.advance(5_000);
  expect(desk.stops()).toBe(3);
});

test('an agent that starts while its driver cannot end a job of a stopped member goes on', async () => {
  await using bench = await openLeaseBench();
  bench.attach();
  const voucher = await bench.voucher(BigInt(PREPAY));
  await startJob(bench.desk, renterKey, { leaseId: bench.leaseId, rank: 0, setup: '', run: 'true', env: {}, voucher });
  while (bench.desk.context.members.find(bench.leaseId)?.state !== 'running') await new Promise(setImmediate);
  await stopMember(bench.desk, bench.leaseId, 'the renter stopped it');
  await expect(recoverMembers(withoutEngine(bench.desk, 1))).resolves.toBeUndefined();
});
