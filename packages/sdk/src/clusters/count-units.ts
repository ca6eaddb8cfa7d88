import type { Member, Order } from '@latent/protocol';
import type { MemberView } from './cluster-record.ts';

/**
 * Device-seconds that the renter signs for a member now: what it counted itself up to when the member last answered, and
 * the prepay ahead, never more than the lease allows and never less than it signed before. So a member that falls silent
 * gets nothing new from that moment on, long before it is known to be lost.
 *
 * @param signedBefore of the last voucher
 */
export function unitsToSign(
  member: Pick<Member, 'devices'>,
  order: Pick<Order, 'prepay' | 'maxSeconds'>,
  view: Pick<MemberView, 'state' | 'countedFromMs' | 'seenAtMs'>,
  signedBefore: bigint,
): bigint {
  if (view.state !== 'running' || view.countedFromMs === 0) return signedBefore;
  const seconds = Math.max(0, Math.floor((view.seenAtMs - view.countedFromMs) / 1000)) + order.prepay;
  const units = BigInt(member.devices) * BigInt(Math.min(seconds, order.maxSeconds));
  return units > signedBefore ? units : signedBefore;
}

/**
 * Device-seconds that cover a member from its start up to `untilMs`, rounded up; what a renter signs ahead that is going away.
 * 0 for a member that does not run, or whose job has ended: nothing is signed ahead for it.
 */
export function unitsUntil(
  member: Pick<Member, 'devices'>,
  order: Pick<Order, 'maxSeconds'>,
  view: Pick<MemberView, 'state' | 'countedFromMs' | 'job'> | undefined,
  untilMs: number,
): bigint {
  if (view === undefined || view.state !== 'running' || view.countedFromMs === 0) return 0n;
  if (view.job.kind === 'exited') return 0n;
  const seconds = Math.max(0, Math.ceil((untilMs - view.countedFromMs) / 1000));
  return BigInt(member.devices) * BigInt(Math.min(seconds, order.maxSeconds));
}
