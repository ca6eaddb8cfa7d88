import { hashOrder, type LeaseTerms, type SignedAsk } from '@latent/protocol';
import type { LocalAccount } from 'viem';
import { toChainError } from '../chain/chain-error.ts';
import type { ChainClient } from '../chain/connect-chain.ts';
import { type SentTransaction, sendTransaction } from '../chain/send-transaction.ts';
import { matchAsks } from './match-asks.ts';
import { encodeOpening, type Funding, signerOf } from './pay-deposit.ts';
import { readLease } from './read-lease.ts';

export interface OpenLeaseParameters {
  readonly terms: LeaseTerms;
  /** The signed asks of `terms.members`, in the same order. */
  readonly asks: readonly SignedAsk[];
  readonly funding: Funding;
  /** Sends it and pays the gas; whoever signs for the money unless given. */
  readonly sender?: LocalAccount | undefined;
}

/**
 * Opens a lease in one transaction. All members or none.
 * Safe to repeat after a crash: an id can only be opened once, and a lease that is open already is reported as such.
 * @returns the transaction, or undefined if the lease had been opened before
 * @throws LatentError CHAIN_REVERTED (contract's error in `details.error`), CHAIN_UNREACHABLE, FUNDS_TOO_LOW, NOT_ALLOWED
 */
export async function openLease(
  client: ChainClient,
  parameters: OpenLeaseParameters,
): Promise<SentTransaction | undefined> {
  const { terms, asks, funding, sender = signerOf(funding) } = parameters;
  const leaseId = hashOrder(client.domain, terms);
  const before = await readLease(client, leaseId);
  if (before.state !== 'none') return undefined;
  const matched = matchAsks(terms.members, asks);
  const data = await encodeOpening(client, { terms, leaseId, matched, funding, sender: sender.address });
  try {
    return await sendTransaction(client, sender, { to: client.deployment.escrow, data });
  } catch (thrown) {
    const error = toChainError(thrown);
    // Refused, because a transaction that was sent before the chain fell silent has opened it meanwhile.
    if (error.code === 'CHAIN_REVERTED' && (await readLease(client, leaseId)).state !== 'none') return undefined;
    throw error;
  }
}
