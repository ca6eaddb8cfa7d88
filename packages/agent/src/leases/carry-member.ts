import { type LeaseId, toLatentError } from '@latent/protocol';
import type { JobExit, JobHandle } from '../drivers/driver.ts';
import { savedHandle } from '../drivers/saved-handle.ts';
import { jobSpec } from './job-spec.ts';
import { type LeaseDesk, saveMoved } from './lease-desk.ts';
import { prepareMember } from './prepare-member.ts';
import { stopMember } from './stop-member.ts';

/**
 * Carries a member from where its record stands to the end of its job, in the background: setup, job, exit code.
 * Called when it starts and again after the agent was restarted; a member that is being carried is left alone.
 */
export function carryMember(desk: LeaseDesk, leaseId: LeaseId): void {
  if (desk.carried.has(leaseId)) return;
  const work = carry(desk, leaseId)
    .catch(async (thrown: unknown) => {
      if (desk.context.signal.aborted) return;
      const error = toLatentError(thrown);
      desk.context.logger.error({ leaseId, code: error.code, error: error.message }, 'member failed');
      await stopMember(desk, leaseId, `${error.code}: ${error.message}`);
    })
    .finally(() => desk.carried.delete(leaseId));
  desk.carried.set(leaseId, work);
}

async function carry(desk: LeaseDesk, leaseId: LeaseId): Promise<void> {
  const { context } = desk;
  await prepareMember(desk, leaseId);
  const prepared = await runSetup(desk, leaseId);
  if (!prepared) return;
  const handle = await ensureStarted(desk, leaseId, 'run');
  if (handle === undefined) return;
  const exit = await context.driver.wait(handle, { signal: context.signal });
  await saveExit(desk, leaseId, 'run', exit);
}

/** @returns whether the job may run */
async function runSetup(desk: LeaseDesk, leaseId: LeaseId): Promise<boolean> {
  const record = desk.context.members.find(leaseId);
  if (record?.job === undefined || record.job === null) return false;
  if (record.job.setup === '' || record.state === 'running') return true;
  const handle = await ensureStarted(desk, leaseId, 'setup');
  if (handle === undefined) return false;
  const exit = await desk.context.driver.wait(handle, { signal: desk.context.signal });
  await saveExit(desk, leaseId, 'setup', exit);
  if (exit.code === 0) return true;
  await stopMember(desk, leaseId, `MEMBER_FAILED: setup ended with exit status ${exit.code}`);
  return false;
}

/** Starts a step unless it was started before; the handle is stored before anybody is told. Undefined if the member was stopped meanwhile. */
async function ensureStarted(desk: LeaseDesk, leaseId: LeaseId, step: 'setup' | 'run'): Promise<JobHandle | undefined> {
  const { context } = desk;
  return desk.lock.run(leaseId, async () => {
    const record = context.members.find(leaseId);
    if (record === undefined || (record.state !== 'preparing' && record.state !== 'running')) return undefined;
    const known = record[step];
    if (known !== null) return known.handle;
    const spec = await jobSpec(desk, record, step);
    // An agent that was killed inside of `start` left a job that only its state folder knows of.
    const orphan = await savedHandle(spec.stateDir);
    const handle = orphan ?? (await context.driver.start(spec, { signal: context.signal }));
    const nowMs = context.clock.nowMs();
    const change = { [step]: { handle, exit: null } };
    if (step === 'setup') context.members.save({ ...record, ...change });
    else saveMoved(desk, record, 'running', { ...change, startedAtMs: nowMs, lastSeenMs: nowMs });
    return handle;
  });
}

async function saveExit(desk: LeaseDesk, leaseId: LeaseId, step: 'setup' | 'run', exit: JobExit): Promise<void> {
  await desk.lock.run(leaseId, async () => {
    const record = desk.context.members.find(leaseId);
    const known = record?.[step];
    if (record === undefined || known === undefined || known === null) return;
    desk.context.members.save({ ...record, [step]: { ...known, exit } });
    desk.context.logger.info({ leaseId, step, code: exit.code, reason: exit.reason }, 'job step ended');
  });
}
