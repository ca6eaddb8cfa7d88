import { LatentError } from '@latent/protocol';
import { describe, expect, it } from 'vitest';
import type { Driver } from '../drivers/driver.ts';
import { openLeaseBench, PREPAY, renterKey } from './lease-bench.fixture.ts';
import type { LeaseDesk } from './lease-desk.ts';
import { memberStatus } from './member-status.ts';
import { startJob } from './start-job.ts';
import { stopMember } from './stop-member.ts';

type Prepare = NonNullable<Driver['prepare']>;

/** A bench whose driver fetches as the test says. */
async function openPreparing(prepare: Prepare) {
  const bench = await openLeaseBench();
  const { context } = bench.desk;
  const desk: LeaseDesk = { ...bench.desk, context: { ...context, driver: { ...context.driver, prepare } } };
  const start = async (image?: string) => {
    bench.attach();
    const voucher = await bench.voucher(BigInt(PREPAY));
    const job = { rank: 0, setup: '', run: 'true', env: {}, voucher, ...(image === undefined ? {} : { image }) };
    await startJob(desk, renterKey, { leaseId: bench.leaseId, ...job });
  };
  const record = () => {
    const found = context.members.find(bench.leaseId);
    if (found === undefined) throw new Error('the lease is not there');
    return found;
  };
  const settled = () => desk.carried.get(bench.leaseId);
  return { bench, desk, start, record, settled };
}

describe('what a job needs', () => {
  it('is fetched before the member is metered, and the renter sees how far it is', async () => {
    const asked = Promise.withResolvers<Parameters<Prepare>>();
    const arrived = Promise.withResolvers<void>();
    const { bench, desk, start, record, settled } = await openPreparing(async (...call) => {
      asked.resolve(call);
      await arrived.promise;
    });
    await using _ = bench;
    await start('org/image:1');
    const [spec, options] = await asked.promise;
    expect(spec.image).toBe('org/image:1');
    options.onProgress?.({ doneBytes: 5, totalBytes: 9 });
    expect(await memberStatus(desk, record())).toMatchObject({
      ...{ state: 'preparing', startedAtMs: 0, deliveredUnits: 0n },
      job: { kind: 'image', doneBytes: 5, totalBytes: 9 },
    });
    arrived.resolve();
    await settled();
    // The driver of the bench runs no images, and says so: the renter is told why.
    expect(record()).toMatchObject({ state: 'stopped', deliveredUnits: 0n });
    expect(record().reason).toMatch(/^DRIVER_REFUSED: /);
    expect(desk.preparing.size).toBe(0);
  });

  it('is given up when the member is stopped', async () => {
    const asked = Promise.withResolvers<void>();
    const { bench, desk, start, record, settled } = await openPreparing(async (_, { signal }) => {
      asked.resolve();
      const { promise, reject } = Promise.withResolvers<never>();
      signal.addEventListener('abort', () => reject(new LatentError('CANCELLED', 'stopped')), { once: true });
      await promise;
    });
    await using _ = bench;
    await start('org/image:1');
    await asked.promise;
    const carried = settled();
    await stopMember(desk, bench.leaseId, 'enough');
    await carried;
    expect(record()).toMatchObject({ state: 'stopped', reason: 'enough', run: null });
  });

  it('ends the member with its own code if it cannot be had', async () => {
    const { bench, start, record, settled } = await openPreparing(async () => {
      throw new LatentError('IMAGE_NOT_FOUND', 'The registry has no image org/image:1.');
    });
    await using _ = bench;
    await start('org/image:1');
    await settled();
    expect(record()).toMatchObject({
      ...{ state: 'stopped', startedAtMs: 0, deliveredUnits: 0n },
      reason: 'IMAGE_NOT_FOUND: The registry has no image org/image:1.',
    });
  });

  it('is not asked for where the job names no image', async () => {
    let calls = 0;
    const { bench, start, record } = await openPreparing(async () => {
      calls += 1;
    });
    await using _ = bench;
    await start();
    while (record().state !== 'running') await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toBe(0);
  });
});
