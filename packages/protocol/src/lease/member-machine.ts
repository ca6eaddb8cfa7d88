import { LatentError } from '../errors/latent-error.ts';

/**
 * The life of a member, as its agent stores it and its renter sees it.
 *
 *   attached ──▶ preparing ──▶ running ──▶ stopped ──▶ closed ──▶ settled
 *      │             │            │                       ▲
 *      └─────────────┴────────────┴── stopped ────────────┘
 *
 * - `attached`: the lease is open on chain and names this agent; nothing is metered yet.
 * - `preparing`: files and setup; not metered ("cold starts are not billed").
 * - `running`: metered from `startedAt`, whether or not the job's main process has ended.
 * - `stopped`: nothing runs, the meter stands still. Terminal but for the money.
 * - `closed`: the agent signed what it claims. It never signs a second, different claim.
 * - `settled`: the chain paid.
 */
export const memberStates = ['attached', 'preparing', 'running', 'stopped', 'closed', 'settled'] as const;
export type MemberState = (typeof memberStates)[number];

const moves: Readonly<Record<MemberState, readonly MemberState[]>> = {
  attached: ['preparing', 'stopped'],
  preparing: ['running', 'stopped'],
  running: ['stopped'],
  stopped: ['closed', 'settled'],
  closed: ['settled'],
  settled: [],
};

export function mayMove(from: MemberState, to: MemberState): boolean {
  return moves[from].includes(to);
}

/** @throws LatentError INTERNAL on a move that the machine does not have: a defect, never a user's mistake. */
export function assertMove(from: MemberState, to: MemberState): void {
  if (!mayMove(from, to)) {
    throw new LatentError('INTERNAL', `A member cannot go from ${from} to ${to}.`, { details: { from, to } });
  }
}
