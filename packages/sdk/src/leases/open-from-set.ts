import {
  hashOrder,
  hashOrderSet,
  LatentError,
  type LeaseTerms,
  leaseEscrowAbi,
  type OrderSet,
  type SignedAsk,
} from '@latent/protocol';
import type { Hex, LocalAccount } from 'viem';
import { authorizeTransfer } from '../chain/authorize-transfer.ts';
import { toChainError } from '../chain/chain-error.ts';
import type { ChainClient } from '../chain/connect-chain.ts';
import { encodeCall, type SentTransaction, sendTransaction } from '../chain/send-transaction.ts';
import { matchAsks } from './match-asks.ts';
import { readLease } from './read-lease.ts';

export interface OpenFromSetParameters {
  readonly set: OrderSet;
  readonly terms: LeaseTerms;
  /** That the order belongs to the set, see `draftOrderSet`. */
  readonly proof: readonly Hex[];
  readonly asks: readonly SignedAsk[];
  /** Of the set, by its renter; `0x` where the renter sends it itself or the set was funded. */
  readonly signature: Hex;
  /** Pays the gas; anybody may. */
  readonly sender: LocalAccount;
}

/**
 * Opens one order of a set, from the renter's balance. Safe to repeat.
 * @returns the transaction, or undefined if the lease had been opened before
 * @throws LatentError CHAIN_REVERTED (NotInSet, SetExhausted, OrderExpired in `details.error`), and those of `sendTransaction`
 */
export async function openFromSet(
  client: ChainClient,
  { set, terms, proof, asks, signature, sender }: OpenFromSetParameters,
): Promise<SentTransaction | undefined> {
  const leaseId = hashOrder(client.domain, terms);
  if ((await readLease(client, leaseId)).state !== 'none') return undefined;
  const data = encodeCall({
    abi: leaseEscrowAbi,
    functionName: 'openFromSet',
    args: [terms.order, matchAsks(terms.members, asks), set, proof, signature],
  });
  try {
    return await sendTransaction(client, sender, { to: client.deployment.escrow, data });
  } catch (thrown) {
    const error = toChainError(thrown);
    if (error.code === 'CHAIN_REVERTED' && (await readLease(client, leaseId)).state !== 'none') return undefined;
    throw error;
  }
}

/**
 * Moves a set's whole deposit into the renter's balance and allows its orders, by the renter's one signature: an ERC-3009
 * authorization whose nonce is the set's digest.
 * @param sender pays the gas; the renter unless given
 * @throws LatentError NOT_ALLOWED if the set is not of this renter; CHAIN_REVERTED, and those of `sendTransaction`
 */
export async function fundOrderSet(
  client: ChainClient,
  renter: LocalAccount,
  set: OrderSet,
  sender: LocalAccount = renter,
): Promise<SentTransaction> {
  if (set.renter !== renter.address) {
    throw new LatentError('NOT_ALLOWED', `The set is of renter ${set.renter}; ${renter.address} cannot pay for it.`);
  }
  const nonce = hashOrderSet(client.domain, set);
  const terms = { amount: set.totalDeposit, nonce, validBefore: set.openBy };
  const authorization = await authorizeTransfer(client, renter, terms);
  const data = encodeCall({ abi: leaseEscrowAbi, functionName: 'fundSet', args: [set, ...authorization] });
  return sendTransaction(client, sender, { to: client.deployment.escrow, data });
}
