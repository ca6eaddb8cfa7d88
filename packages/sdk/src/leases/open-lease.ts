import { hashOrder } from '@latent/protocol';
import type { Hex } from 'viem';
import { toChainError } from '../chain/chain-error.ts';
import type { ChainClient } from '../chain/connect-chain.ts';
import { awaitMined, type SentTransaction, submitTransaction } from '../chain/send-transaction.ts';
import { takeTurn } from '../chain/take-turn.ts';
import { signerOf } from './pay-deposit.ts';
import {
  encodeOpeningCall,
  isFresh,
  type LeaseToOpen,
  type PreparedLease,
  prepareOpeningTransaction,
} from './prepare-opening.ts';
import { readLease } from './read-lease.ts';

export interface OpenLeaseParameters extends LeaseToOpen {
  /** See `prepareLease`; left aside if it is for another lease, or too old. */
  readonly ready?: PreparedLease | undefined;
  /** The chain has taken the transaction; it is mined later, or refused then. */
  readonly onSent?: ((hash: Hex) => void) | undefined;
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
  const { terms, ready, onSent = () => {} } = parameters;
  const leaseId = hashOrder(client.domain, terms);
  const isThere = async () => (await readLease(client, leaseId)).state !== 'none';
  try {
    // It could not have been prepared for a lease that was open.
    const submitted = isFresh(ready) && ready.leaseId === leaseId ? await submitReady(client, ready) : undefined;
    const hash = submitted ?? (await submitOpening(client, parameters, isThere));
    if (hash === undefined) return undefined;
    onSent(hash);
    return await awaitMined(client, hash);
  } catch (thrown) {
    const error = toChainError(thrown);
    // Refused, because it is open: perhaps by a transaction that was sent before the chain fell silent.
    if (error.code !== 'CHAIN_UNREACHABLE' && (await isThere())) return undefined;
    throw error;
  }
}

/** @returns undefined where it was not taken as it is: the account may have sent something else since */
async function submitReady(client: ChainClient, { transaction }: PreparedLease): Promise<Hex | undefined> {
  try {
    return await submitTransaction(client, transaction);
  } catch (thrown) {
    if (toChainError(thrown).code === 'CHAIN_UNREACHABLE') throw thrown;
    return undefined;
  }
}

/** @returns undefined where the lease is open already */
async function submitOpening(
  client: ChainClient,
  parameters: OpenLeaseParameters,
  isThere: () => Promise<boolean>,
): Promise<Hex | undefined> {
  const { funding, sender = signerOf(funding) } = parameters;
  // To raise an allowance is a transaction of its own; anything else that comes before the sending costs nothing.
  if (funding.kind === 'allowance' && (await isThere())) return undefined;
  const call = await encodeOpeningCall(client, parameters);
  return takeTurn(client, sender.address, async () => {
    const [wasThere, transaction] = await Promise.all([isThere(), prepareOpeningTransaction(client, parameters, call)]);
    return wasThere ? undefined : submitTransaction(client, transaction);
  });
}
