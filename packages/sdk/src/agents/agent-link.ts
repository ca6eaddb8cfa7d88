import type {
  ChangedLease,
  LeaseId,
  LeaseTerms,
  MemberStatus,
  NetworkAbility,
  NetworkPlan,
  SignedClose,
  SignedHold,
  SignedVoucher,
  StartParams,
} from '@latent/protocol';
import { callMethod, type PeerAddress, type Transport } from '@latent/transport';
import type { Address, Hex } from 'viem';
import { agentMethods } from './agent-methods.ts';

/** How to reach one agent. */
export interface AgentLink {
  readonly transport: Transport;
  readonly peer: PeerAddress;
}

/** For calls that only look or note something. */
const SHORT_TIMEOUT_MS = 5_000;
/** For calls in which the agent asks the chain, or ends a job. */
const LONG_TIMEOUT_MS = 60_000;

/** Asks for a signed promise to keep `devices` of an ask free. @throws LatentError HOLD_REFUSED and those of `callMethod` */
export async function holdAsk(
  link: AgentLink,
  params: { readonly ask: Hex; readonly renter: Address; readonly devices: number },
  signal: AbortSignal,
): Promise<SignedHold> {
  return callMethod(link.transport, link.peer, agentMethods.hold, params, { signal, timeoutMs: SHORT_TIMEOUT_MS });
}

/**
 * Presents an open lease to the agent. Idempotent.
 * @param params `terms` as it was opened; `changed` if it was changed since
 * @throws LatentError LEASE_NOT_ACTIVE, LEASE_MISMATCH, LEASE_NOT_MINE, NOT_ALLOWED, and those of `callMethod`
 */
export async function attachMember(
  link: AgentLink,
  params: { readonly terms: LeaseTerms; readonly changed?: ChangedLease | undefined; readonly signature: Hex },
  signal: AbortSignal,
): Promise<{ readonly index: number; readonly address: string; readonly network: NetworkAbility }> {
  return callMethod(link.transport, link.peer, agentMethods.attach, params, { signal, timeoutMs: LONG_TIMEOUT_MS });
}

/**
 * Tells the agent who is in the private network of the lease, before the job starts. Idempotent.
 * @throws LatentError NOT_ALLOWED (after the start), LEASE_MISMATCH, NETWORK_UNAVAILABLE, and those of `callMethod`
 */
export async function planNetwork(
  link: AgentLink,
  params: { readonly leaseId: LeaseId; readonly plan: NetworkPlan },
  signal: AbortSignal,
): Promise<void> {
  await callMethod(link.transport, link.peer, agentMethods.plan, params, { signal, timeoutMs: LONG_TIMEOUT_MS });
}

/** Starts setup and job. Returns when the agent accepted; `memberStatus` tells how it goes. */
export async function startMember(link: AgentLink, params: StartParams, signal: AbortSignal): Promise<MemberStatus> {
  return callMethod(link.transport, link.peer, agentMethods.start, params, { signal, timeoutMs: LONG_TIMEOUT_MS });
}

export async function memberStatus(
  link: AgentLink,
  leaseId: LeaseId,
  signal: AbortSignal,
  timeoutMs = SHORT_TIMEOUT_MS,
): Promise<MemberStatus> {
  return callMethod(link.transport, link.peer, agentMethods.status, { leaseId }, { signal, timeoutMs });
}

/** Hands over the latest voucher. @throws LatentError VOUCHER_BAD_SIGNATURE, VOUCHER_DECREASED, and those of `callMethod` */
export async function sendVoucher(
  link: AgentLink,
  voucher: SignedVoucher,
  signal: AbortSignal,
  timeoutMs = SHORT_TIMEOUT_MS,
): Promise<{ readonly deliveredUnits: bigint; readonly coveredUnits: bigint }> {
  return callMethod(link.transport, link.peer, agentMethods.voucher, voucher, { signal, timeoutMs });
}

/** The last voucher that the agent was given, as it says; null before the first. */
export async function heldVoucher(
  link: AgentLink,
  leaseId: LeaseId,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<SignedVoucher | null> {
  const { transport, peer } = link;
  return (await callMethod(transport, peer, agentMethods.held, { leaseId }, { signal, timeoutMs })).voucher;
}

/** Ends the job and the member's meter. Idempotent. */
export async function stopMember(
  link: AgentLink,
  leaseId: LeaseId,
  reason: string,
  signal: AbortSignal,
): Promise<MemberStatus> {
  return callMethod(
    link.transport,
    link.peer,
    agentMethods.stop,
    { leaseId, reason },
    { signal, timeoutMs: LONG_TIMEOUT_MS },
  );
}

/** Stops the member and asks what it claims, signed. The agent gives the same answer for ever after. */
export async function claimMember(link: AgentLink, leaseId: LeaseId, signal: AbortSignal): Promise<SignedClose> {
  return callMethod(link.transport, link.peer, agentMethods.close, { leaseId }, { signal, timeoutMs: LONG_TIMEOUT_MS });
}
