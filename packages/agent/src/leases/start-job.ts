import { LatentError, type PeerKey, type StartParams } from '@latent/protocol';
import { carryMember } from './carry-member.ts';
import { jobFolders, makeJobFolders } from './job-folders.ts';
import { findForCaller, type LeaseDesk, saveMoved } from './lease-desk.ts';
import { coveredUnits, type MemberRecord } from './member-record.ts';
import { prepaidUnits } from './metering.ts';
import { withVoucher } from './take-voucher.ts';

/**
 * Accepts the job and begins with it. The voucher that comes with it has to cover the prepay: without one nothing starts.
 * A repeated call for the same rank is answered as the first one was.
 * @throws LatentError VOUCHER_*, BUDGET_EXHAUSTED, NOT_ALLOWED
 */
export async function startJob(desk: LeaseDesk, caller: PeerKey, params: StartParams): Promise<MemberRecord> {
  const { context } = desk;
  return desk.lock.run(params.leaseId, async () => {
    const record = findForCaller(desk, params.leaseId, caller);
    if (record.job?.rank === params.rank) return record;
    if (record.state !== 'attached') {
      throw new LatentError('NOT_ALLOWED', `A job was started here before; the member is ${record.state}.`, {
        details: { leaseId: record.leaseId },
      });
    }
    const covered = await withVoucher(desk, record, params.voucher);
    const wanted = prepaidUnits(record);
    if (coveredUnits(covered) < wanted) {
      throw new LatentError(
        'VOUCHER_STOPPED',
        `The voucher covers ${coveredUnits(covered)} device-seconds; this agent wants ${wanted} in advance.`,
        {
          details: { leaseId: record.leaseId, wanted },
        },
      );
    }
    if (record.network !== undefined && record.network.rank !== params.rank) {
      const text = `The network's plan has this member as rank ${record.network.rank}, not ${params.rank}.`;
      throw new LatentError('NOT_ALLOWED', text, { details: { leaseId: record.leaseId } });
    }
    await makeJobFolders(jobFolders(context.options.dataDir, record.leaseId));
    const { rank, setup, run, image, env } = params;
    const accepted = saveMoved(desk, covered, 'preparing', { job: { rank, setup, run, image, env } });
    carryMember(desk, accepted.leaseId);
    return accepted;
  });
}
