import { hashMembers, type LeaseTerms, leaseEscrowAbi } from '@latent/protocol';
import type { Hex, LocalAccount } from 'viem';
import type { ChainClient } from '../chain/connect-chain.ts';
import { encodeCall, type SentTransaction, sendTransaction } from '../chain/send-transaction.ts';

/**
 * Freezes the clock of a lease by a stop that its renter, session key or meter key signed (`signStop`). Anybody may send it.
 * @param stop `deadline` in unix seconds, as it was signed
 * @throws LatentError CHAIN_REVERTED (BadSignature, SignatureExpired, AlreadyStopping, NotActive in `details.error`), and those of
 * `sendTransaction`
 */
export async function stopLeaseFor(
  client: ChainClient,
  account: LocalAccount,
  terms: LeaseTerms,
  stop: { readonly deadline: number; readonly signature: Hex },
): Promise<SentTransaction> {
  const data = encodeCall({
    abi: leaseEscrowAbi,
    functionName: 'stopFor',
    args: [terms.order, hashMembers(terms.members), stop.deadline, stop.signature],
  });
  return sendTransaction(client, account, { to: client.deployment.escrow, data });
}
