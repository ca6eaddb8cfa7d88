import type { Member, Order } from '@latent/protocol';
import type { MemberView } from './cluster-record.ts';

/**
 * Device-seconds that the renter signs for a member now: what it counted itself, and the prepay ahead, never more than
 * the lease allows and never less than it signed before. A member that is not seen running gets nothing new.
 *
 * @param signedBefore of the last voucher
 */
export function unitsToSign(
  member: Pick<Member, 'devices'>,
  order: Pick<Order, 'prepay' | 'maxSeconds'>,
  view: Pick<MemberView, 'state' | 'countedFromMs'>,
  signedBefore: bigint,
  nowMs: number,
): bigint {
  if (view.state !== 'running' || view.countedFromMs === 0) return signedBefore;
  const seconds = Math.max(0, Math.floor((nowMs - view.countedFromMs) / 1000)) + order.prepay;
  const units = BigInt(member.devices) * BigInt(Math.min(seconds, order.maxSeconds));
  return units > signedBefore ? units : signedBefore;
}
