import { assertMove, LatentError, type LeaseId, type MemberState, type PeerKey } from '@latent/protocol';
import { type AgentContext, nowSeconds } from '../agent-context.ts';
import type { AskDesk } from '../asks/ask-desk.ts';
import type { MemberNetworks } from '../network/member-networks.ts';
import { createKeyedLock, type KeyedLock } from './keyed-lock.ts';
import { type MemberRecord, memberOf } from './member-record.ts';
import type { Preparing } from './prepare-member.ts';

/** What every verb on a lease is given. */
export interface LeaseDesk {
  readonly context: AgentContext;
  readonly asks: AskDesk;
  readonly networks: MemberNetworks;
  readonly lock: KeyedLock<LeaseId>;
  /** Members whose setup and job are being carried through by this life of the agent. */
  readonly carried: Map<LeaseId, Promise<void>>;
  /** Those of them that something is being fetched for. */
  readonly preparing: Map<LeaseId, Preparing>;
  /** Called whenever the free devices may have changed. */
  readonly onFreeChanged: () => void;
}

export function createLeaseDesk(
  parts: Pick<LeaseDesk, 'context' | 'asks' | 'networks'>,
  onFreeChanged: () => void,
): LeaseDesk {
  return { ...parts, lock: createKeyedLock(), carried: new Map(), preparing: new Map(), onFreeChanged };
}

/** Devices of the machine that are in no hold and in no lease whose money is open (the chain counts those as in use). */
export function freeDevices({ context, asks }: Pick<LeaseDesk, 'context' | 'asks'>): number {
  if (context.options.leaving) return 0;
  const held = context.holds.current(nowSeconds(context.clock)).reduce((sum, hold) => sum + hold.devices, 0);
  const leased = context.members.open().reduce((sum, record) => sum + memberOf(record).devices, 0);
  return Math.max(0, asks.current.signed.ask.devices - held - leased);
}

/**
 * The record of a lease for a caller that may act for it.
 * @throws LatentError LEASE_NOT_MINE, the same for an unknown lease and for another's, so that nothing can be probed
 */
export function findForCaller(desk: LeaseDesk, leaseId: LeaseId, caller: PeerKey): MemberRecord {
  const record = desk.context.members.find(leaseId);
  if (record === undefined || record.peerKey !== caller) {
    throw new LatentError('LEASE_NOT_MINE', `This agent has no lease ${leaseId} for the caller.`, {
      details: { leaseId },
      hint: 'Attach to the lease first.',
    });
  }
  return record;
}

/** Stores a record, checking the move; nothing is acted on before this returned. */
export function saveMoved(
  desk: LeaseDesk,
  record: MemberRecord,
  to: MemberState,
  change: Partial<MemberRecord> = {},
): MemberRecord {
  assertMove(record.state, to);
  const moved = { ...record, ...change, state: to };
  desk.context.members.save(moved);
  desk.context.logger.info({ leaseId: moved.leaseId, from: record.state, to, reason: moved.reason }, 'member moved');
  return moved;
}
