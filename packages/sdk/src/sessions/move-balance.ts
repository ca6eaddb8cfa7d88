import { leaseEscrowAbi, signWithdraw } from '@latent/protocol';
import type { Address, LocalAccount } from 'viem';
import type { ChainClient } from '../chain/connect-chain.ts';
import { readNonce } from '../chain/read-escrow.ts';
import { encodeCall, type SentTransaction, sendTransaction } from '../chain/send-transaction.ts';
import { raiseAllowance } from '../leases/pay-deposit.ts';

/**
 * Moves `amount` base units from the owner's wallet into its balance in the escrow. The stablecoin's allowance is raised
 * first if it is too small.
 * @throws LatentError CHAIN_REVERTED (ERC20InsufficientBalance), and those of `sendTransaction`
 */
export async function depositBalance(
  client: ChainClient,
  owner: LocalAccount,
  amount: bigint,
): Promise<SentTransaction> {
  await raiseAllowance(client, owner, amount);
  const data = encodeCall({ abi: leaseEscrowAbi, functionName: 'deposit', args: [amount] });
  return sendTransaction(client, owner, { to: client.deployment.escrow, data });
}

/**
 * Moves `amount` base units from the owner's balance in the escrow to its wallet.
 * @throws LatentError CHAIN_REVERTED (InsufficientBalance), and those of `sendTransaction`
 */
export async function withdrawBalance(
  client: ChainClient,
  owner: LocalAccount,
  amount: bigint,
): Promise<SentTransaction> {
  const data = encodeCall({ abi: leaseEscrowAbi, functionName: 'withdraw', args: [amount] });
  return sendTransaction(client, owner, { to: client.deployment.escrow, data });
}

export interface WithdrawForParameters {
  /** Signs. */
  readonly owner: LocalAccount;
  /** Sends it and pays the gas: an owner needs no ether. */
  readonly sender: LocalAccount;
  readonly to: Address;
  /** Base units. */
  readonly amount: bigint;
  /** Unix seconds until when it is good. */
  readonly deadline: number;
}

/**
 * Moves `amount` base units from the owner's balance in the escrow to any address, by the owner's signature.
 * @throws LatentError CHAIN_REVERTED (InsufficientBalance, SignatureExpired, BadSignature), and those of `sendTransaction`
 */
export async function withdrawBalanceFor(
  client: ChainClient,
  { owner, sender, to, amount, deadline }: WithdrawForParameters,
): Promise<SentTransaction> {
  const nonce = await readNonce(client, owner.address);
  const withdrawal = { owner: owner.address, to, amount, nonce, deadline };
  const signature = await signWithdraw(owner, client.domain, withdrawal);
  const data = encodeCall({
    abi: leaseEscrowAbi,
    functionName: 'withdrawFor',
    args: [owner.address, to, amount, deadline, signature],
  });
  return sendTransaction(client, sender, { to: client.deployment.escrow, data });
}
