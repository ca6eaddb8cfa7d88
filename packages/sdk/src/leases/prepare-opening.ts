import { hashOrder, type LeaseId, type LeaseTerms, type SignedAsk } from '@latent/protocol';
import type { LocalAccount, TypedDataDomain } from 'viem';
import type { ChainClient } from '../chain/connect-chain.ts';
import { type GasFees, readFees } from '../chain/read-fees.ts';
import { type ContractCall, type PreparedTransaction, prepareTransaction } from '../chain/send-transaction.ts';
import { tokenDomain } from '../chain/token-domain.ts';
import { matchAsks } from './match-asks.ts';
import { encodeOpening, type Funding, signerOf } from './pay-deposit.ts';

/** What opening a lease takes of the chain, whatever the lease. */
export interface PreparedOpening {
  readonly tokenDomain: TypedDataDomain;
  readonly fees: GasFees;
  readonly readAtMs: number;
}

/** The transaction that would open one lease. */
export interface PreparedLease {
  readonly leaseId: LeaseId;
  readonly transaction: PreparedTransaction;
  readonly readAtMs: number;
}

export interface LeaseToOpen {
  readonly terms: LeaseTerms;
  /** The signed asks of `terms.members`, in the same order. */
  readonly asks: readonly Pick<SignedAsk, 'ask' | 'signature'>[];
  readonly funding: Funding;
  /** Sends it and pays the gas; whoever signs for the money unless given. */
  readonly sender?: LocalAccount | undefined;
  /** What was asked ahead; see `prepareOpening`. */
  readonly prepared?: PreparedOpening | undefined;
}

/** The base fee changes with each block, and the account may send something else. */
const LASTS_MS = 5_000;

/**
 * Asks the chain ahead, while a book and agents are still asked, so that the opening need not. The connections that this takes are
 * there for it too.
 * @returns undefined where the chain does not answer: the opening asks again then. Never rejects
 */
export async function prepareOpening(client: ChainClient): Promise<PreparedOpening | undefined> {
  try {
    const [domain, fees] = await Promise.all([tokenDomain(client), readFees(client)]);
    return { tokenDomain: domain, fees, readAtMs: performance.now() };
  } catch {
    return undefined;
  }
}

/**
 * Signs and estimates the opening of a lease that is expected to come about, as of the machines that were chosen, while these are
 * asked to hold still. If it comes about, nothing is left but to send it; if not, nothing was.
 * @returns undefined where it cannot be prepared: the opening says why, if it comes to that. Never rejects
 */
export async function prepareLease(client: ChainClient, lease: LeaseToOpen): Promise<PreparedLease | undefined> {
  // That would be a transaction by itself.
  if (lease.funding.kind === 'allowance') return undefined;
  try {
    const transaction = await prepareOpeningTransaction(client, lease, await encodeOpeningCall(client, lease));
    return { leaseId: hashOrder(client.domain, lease.terms), transaction, readAtMs: performance.now() };
  } catch {
    return undefined;
  }
}

/** @throws LatentError as `encodeOpening` does */
export async function encodeOpeningCall(client: ChainClient, lease: LeaseToOpen): Promise<ContractCall> {
  const { terms, asks, funding, sender = signerOf(funding), prepared } = lease;
  const data = await encodeOpening(client, {
    ...{ terms, funding, sender: sender.address, tokenDomain: prepared?.tokenDomain },
    leaseId: hashOrder(client.domain, terms),
    matched: matchAsks(terms.members, asks),
  });
  return { to: client.deployment.escrow, data };
}

/** @throws LatentError as `prepareTransaction` does */
export async function prepareOpeningTransaction(
  client: ChainClient,
  { funding, sender = signerOf(funding), prepared }: LeaseToOpen,
  call: ContractCall,
): Promise<PreparedTransaction> {
  return prepareTransaction(client, sender, call, isFresh(prepared) ? prepared.fees : undefined);
}

export function isFresh<Prepared extends PreparedOpening | PreparedLease>(
  prepared: Prepared | undefined,
): prepared is Prepared {
  return prepared !== undefined && performance.now() - prepared.readAtMs <= LASTS_MS;
}
