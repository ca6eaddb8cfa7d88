import type { LeaseId } from '@latent/protocol';
import type { JobHandle } from '../drivers/driver.ts';
import type { LeaseDesk } from './lease-desk.ts';

const POLL_INTERVAL_MS = 200;

/**
 * A member's output from byte `offset` on: that of its setup, then that of its job, as one. With `follow` until the job
 * has ended.
 */
export async function* memberOutput(
  desk: LeaseDesk,
  leaseId: LeaseId,
  options: { readonly offset: number; readonly follow: boolean; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array, void, void> {
  const { context } = desk;
  let base = 0;
  for (const step of ['setup', 'run'] as const) {
    const handle = await nextHandle(desk, leaseId, step, options);
    if (handle === undefined) continue;
    const start = Math.max(0, options.offset - base);
    let end = 0;
    for await (const chunk of context.driver.output(handle, {
      follow: options.follow,
      offset: start,
      signal: options.signal,
    })) {
      end = chunk.offset + chunk.bytes.byteLength;
      yield chunk.bytes;
    }
    if (step === 'setup') base = end === 0 ? await outputLength(desk, handle, options.signal) : end;
  }
}

async function nextHandle(
  { context }: LeaseDesk,
  leaseId: LeaseId,
  step: 'setup' | 'run',
  { follow, signal }: { readonly follow: boolean; readonly signal: AbortSignal },
): Promise<JobHandle | undefined> {
  for (;;) {
    const record = context.members.find(leaseId);
    const known = record?.[step];
    if (known !== undefined && known !== null) return known.handle;
    const mayCome = record?.state === 'attached' || record?.state === 'preparing';
    const isExpected = step === 'run' || record?.job === null || record?.job.setup !== '';
    if (!follow || !mayCome || !isExpected) return undefined;
    await context.clock.sleep(POLL_INTERVAL_MS, { signal });
  }
}

async function outputLength({ context }: LeaseDesk, handle: JobHandle, signal: AbortSignal): Promise<number> {
  let end = 0;
  for await (const chunk of context.driver.output(handle, { follow: false, offset: 0, signal }))
    end = chunk.offset + chunk.bytes.byteLength;
  return end;
}
