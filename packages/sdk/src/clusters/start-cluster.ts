import { networkAddress, type SignedVoucher } from '@latent/protocol';
import { startMember } from '../agents/agent-link.ts';
import { uploadFiles } from '../agents/upload-files.ts';
import { rankEnvironment } from '../job/job-environment.ts';
import { clusterVouchers } from '../vouchers/cluster-vouchers.ts';
import { attachRank } from './attach-rank.ts';
import { type ClusterContext, changeMember } from './cluster-context.ts';
import { clusterLinks } from './cluster-links.ts';
import type { ClusterRecord } from './cluster-record.ts';
import { decideNetwork, planPrivateNetwork } from './private-network.ts';

/**
 * Brings every rank up: attach, private network and files, start. All or nothing: if one agent refuses, the error goes to the caller, who ends
 * the cluster; nothing has been metered then on those that did not start.
 * Safe to repeat after a crash: agents answer a repeated call as they did the first.
 */
export async function startCluster(context: ClusterContext, record: ClusterRecord): Promise<void> {
  const { transport, journal, name, signal } = context;
  const links = clusterLinks(transport, record);
  const attached = await Promise.all(links.map((_, rank) => attachRank(context, record, rank)));
  journal.tell(name, { kind: 'member', text: `${links.length} agents took up the lease` });
  const isPrivate = decideNetwork(context, record, attached);
  const addresses = attached.map(({ address }, rank) => (isPrivate ? networkAddress(rank) : address));
  await Promise.all([
    ...(isPrivate ? [planPrivateNetwork(context, record, links)] : []),
    ...(record.job.archive !== '' && record.voucher === null ? [sendFiles(context, record, links)] : []),
  ]);
  const voucher = await firstVoucher(context, record);
  await Promise.all(
    links.map(async (link, rank) => {
      const { setup, run, image, envs, gpusPerMachine, taskId } = record.job;
      const { leaseId } = record;
      const env = rankEnvironment({ envs, rank, addresses, isPrivate, gpusPerMachine, taskId, leaseId });
      const { state } = await startMember(link, { leaseId, rank, setup, run, image, env, voucher }, signal);
      changeMember(context, rank, { state });
    }),
  );
}

async function sendFiles(
  context: ClusterContext,
  record: ClusterRecord,
  links: ReturnType<typeof clusterLinks>,
): Promise<void> {
  const { journal, name, signal } = context;
  const sent = await Promise.all(
    links.map((link) => uploadFiles(link, record.leaseId, context.readArchive(record.job.archive), { signal })),
  );
  const [first] = sent;
  journal.tell(name, {
    kind: 'files',
    text: `sent ${first?.entries ?? 0} files (${first?.bytes ?? 0} bytes) to each of ${links.length} machines`,
  });
}

/** Covers the prepay of every member, so that agents start. Stored before it leaves. */
async function firstVoucher(context: ClusterContext, record: ClusterRecord): Promise<SignedVoucher> {
  if (record.voucher !== null) return record.voucher;
  const { order, members } = record.terms;
  const seconds = BigInt(Math.min(order.prepay, order.maxSeconds));
  const units = members.map((member) => BigInt(member.devices) * seconds);
  return clusterVouchers(context).sign({ nowMs: context.clock.nowMs(), units });
}
