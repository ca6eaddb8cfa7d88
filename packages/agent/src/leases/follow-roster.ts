import { hashRoster, type LeaseId } from '@latent/protocol';
import { readRoster } from '@latent/sdk';
import type { LeaseDesk } from './lease-desk.ts';
import { type MemberRecord, memberOf } from './member-record.ts';

/**
 * The record with the members and the roster that the escrow has recorded; the same one if nothing has changed. Not stored yet.
 * @throws LatentError LEASE_MISMATCH, CHAIN_UNREACHABLE
 */
export async function withRoster({ context }: LeaseDesk, record: MemberRecord): Promise<MemberRecord> {
  const changed = await readRoster(context.chain, record.leaseId, [record.changed]);
  // Closed leases have none any more: what is known of them stays.
  if (changed === undefined || changed === record.changed) return record;
  const next = { ...record, changed };
  // Places never move; a record of another place would be paid for somebody else's work.
  if (memberOf(next).agentKey !== context.identity.agent.address) return record;
  context.logger.info({ leaseId: record.leaseId, roster: hashRoster(changed) }, 'lease changed');
  return next;
}

/** Takes note of what the renter changed, before it is acted on. @returns the record as it is stored then */
export async function followRoster(desk: LeaseDesk, leaseId: LeaseId): Promise<MemberRecord | undefined> {
  return desk.lock.run(leaseId, async () => {
    const record = desk.context.members.find(leaseId);
    if (record === undefined) return undefined;
    const next = await withRoster(desk, record);
    if (next !== record) desk.context.members.save(next);
    return next;
  });
}
