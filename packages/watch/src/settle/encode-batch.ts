import type { FollowedLease } from '@latent/chain';
import { type ChangedLease, type Deployment, LatentError, leaseEscrowAbi } from '@latent/protocol';
import { type ContractCall, compactSignature, encodeCall, settlementRow } from '@latent/sdk';
import { zeroHash } from 'viem';
import type { Wish, WishedClaim } from '../policy/decide-lease.ts';

/**
 * The call that carries out wishes of one deed, one row each, in their order.
 * @throws LatentError INTERNAL when there is nothing to carry out
 */
export function encodeBatch({ escrow: to }: Pick<Deployment, 'escrow'>, wishes: readonly Wish[]): ContractCall {
  const [first] = wishes;
  if (first === undefined) throw new LatentError('INTERNAL', 'A batch without rows.');
  const abi = leaseEscrowAbi;
  switch (first.deed) {
    case 'checkpoint':
      return { to, data: encodeCall({ abi, functionName: 'checkpoint', args: [wishes.map(settlement)] }) };
    case 'finalize':
      return { to, data: encodeCall({ abi, functionName: 'finalize', args: [wishes.map(settlement)] }) };
    case 'close':
      return { to, data: encodeCall({ abi, functionName: 'close', args: [wishes.map(closing)] }) };
    case 'leave':
      return { to, data: encodeCall({ abi, functionName: 'leave', args: [wishes.map(leaving)] }) };
  }
}

/** What a row stands for: the same mark is the same row, which the contract takes or refuses the same way. */
export function markOf({ deed, lease, voucher, claims }: Wish): string {
  const said = [voucher?.signature ?? '', ...claims.map(({ signature }) => signature ?? '')];
  const state = [lease.paidUnits.join(','), lease.stopAt ?? 0, lease.changes.length];
  return [deed, lease.leaseId, ...state, ...said].join(' ');
}

function settlement({ lease, voucher }: Wish) {
  const { paidUnits } = lease;
  return settlementRow({ terms: termsOf(lease), changed: changedOf(lease), paidUnits, voucher });
}

function closing(wish: Wish) {
  const signatures = wish.claims.map(compactOrNone);
  return {
    settlement: settlement(wish),
    claimed: wish.claims.map(({ units }) => units),
    r: signatures.map(({ r }) => r),
    vs: signatures.map(({ vs }) => vs),
  };
}

function leaving(wish: Wish) {
  const [claim] = wish.claims;
  if (claim === undefined) throw new LatentError('INTERNAL', `Nobody claims to leave ${wish.lease.leaseId}.`);
  const { member, units: claimed } = claim;
  return { settlement: settlement(wish), member, claimed, ...compactOrNone(claim) };
}

function compactOrNone({ signature }: WishedClaim) {
  return signature === undefined ? { r: zeroHash, vs: zeroHash } : compactSignature(signature);
}

function termsOf({ terms, leaseId }: FollowedLease) {
  if (terms === undefined) throw new LatentError('INTERNAL', `The terms of lease ${leaseId} are not known.`);
  return terms;
}

/** The lease as it is, if it was changed. */
export function changedOf({ roster, members }: FollowedLease): ChangedLease | undefined {
  if (roster === undefined) return undefined;
  const { from, until } = roster;
  return { members: [...members], roster: { ...roster, from: [...from], until: [...until] } };
}
