import {
  hashOrder,
  LatentError,
  type LeaseId,
  type LeaseTerms,
  leaseEscrowAbi,
  type SignedAsk,
} from '@latent/protocol';
import { type Hex, type LocalAccount, parseSignature } from 'viem';
import { toChainError } from '../chain/chain-error.ts';
import type { ChainClient } from '../chain/connect-chain.ts';
import { encodeCall, type SentTransaction, sendTransaction } from '../chain/send-transaction.ts';
import { tokenDomain } from '../chain/token-domain.ts';
import { readLease } from './read-lease.ts';
import { compactSignature } from './settlement.ts';

export interface OpenLeaseParameters {
  readonly renter: LocalAccount;
  readonly terms: LeaseTerms;
  /** The signed asks of `terms.members`, in the same order. */
  readonly asks: readonly SignedAsk[];
}

/** Types of ERC-3009; the nonce is the lease's id, so that one signature funds the lease and fixes its terms. */
const receiveWithAuthorization = [
  { name: 'from', type: 'address' },
  { name: 'to', type: 'address' },
  { name: 'value', type: 'uint256' },
  { name: 'validAfter', type: 'uint256' },
  { name: 'validBefore', type: 'uint256' },
  { name: 'nonce', type: 'bytes32' },
] as const;

/**
 * Opens a lease in one transaction, funded by one ERC-3009 signature of the renter. All members or none.
 * Safe to repeat after a crash: an id can only be opened once, and a lease that is open already is reported as such.
 * @returns the transaction, or undefined if the lease had been opened before
 * @throws LatentError CHAIN_REVERTED (contract's error in `details.error`), CHAIN_UNREACHABLE, FUNDS_TOO_LOW
 */
export async function openLease(
  client: ChainClient,
  parameters: OpenLeaseParameters,
): Promise<SentTransaction | undefined> {
  const { renter, terms, asks } = parameters;
  const leaseId = hashOrder(client.domain, terms);
  const before = await readLease(client, leaseId);
  if (before.state !== 'none') return undefined;
  const { v, r, s } = await authorizeDeposit(client, renter, terms, leaseId);
  const matched = terms.members.map((member, index) => {
    const signed = asks[index];
    if (signed === undefined) throw new LatentError('INTERNAL', `Member ${index} comes without its ask.`);
    return { ask: signed.ask, devices: member.devices, ...compactSignature(signed.signature) };
  });
  const data = encodeCall({
    abi: leaseEscrowAbi,
    functionName: 'openWithAuthorization',
    args: [terms.order, matched, 0n, BigInt(terms.order.openBy), v, r, s],
  });
  try {
    return await sendTransaction(client, renter, { to: client.deployment.escrow, data });
  } catch (thrown) {
    const error = toChainError(thrown);
    // Refused, because a transaction that was sent before the chain fell silent has opened it meanwhile.
    if (error.code === 'CHAIN_REVERTED' && (await readLease(client, leaseId)).state !== 'none') return undefined;
    throw error;
  }
}

async function authorizeDeposit(
  client: ChainClient,
  renter: LocalAccount,
  terms: LeaseTerms,
  leaseId: LeaseId,
): Promise<{ readonly v: number; readonly r: Hex; readonly s: Hex }> {
  const signature = await renter.signTypedData({
    domain: await tokenDomain(client),
    primaryType: 'ReceiveWithAuthorization',
    types: { ReceiveWithAuthorization: receiveWithAuthorization },
    message: {
      from: renter.address,
      to: client.deployment.escrow,
      value: terms.order.deposit,
      validAfter: 0n,
      validBefore: BigInt(terms.order.openBy),
      nonce: leaseId,
    },
  });
  const { yParity, r, s } = parseSignature(signature);
  return { v: yParity + 27, r, s };
}
