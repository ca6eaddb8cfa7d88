import type { Address, LocalAccount } from 'viem';
import { toChainError } from '../chain/chain-error.ts';
import type { ChainClient } from '../chain/connect-chain.ts';
import { type SentTransaction, sendTransaction } from '../chain/send-transaction.ts';

/** Of a transfer of ether between plain accounts. */
const TRANSFER_GAS = 21_000n;

/**
 * What so much gas costs in wei if the chain gets `times` as dear as it is now.
 * @throws LatentError CHAIN_UNREACHABLE
 */
export async function weiForGas(client: ChainClient, gas: bigint, times: bigint): Promise<bigint> {
  return gas * times * (await gasPrice(client));
}

/** Gives an account ether to pay gas with. @throws LatentError FUNDS_TOO_LOW, and those of `sendTransaction` */
export async function sendEther(
  client: ChainClient,
  from: LocalAccount,
  to: Address,
  wei: bigint,
): Promise<SentTransaction> {
  return sendTransaction(client, from, { to, data: '0x', value: wei });
}

/**
 * Sends what ether an account has left, less four times the cost of sending it now.
 * @returns wei that were sent; 0n where it is not worth the gas
 * @throws LatentError those of `sendTransaction`
 */
export async function returnEther(client: ChainClient, from: LocalAccount, to: Address): Promise<bigint> {
  const [balance, cost] = await Promise.all([balanceOf(client, from.address), weiForGas(client, TRANSFER_GAS, 4n)]);
  if (balance <= 2n * cost) return 0n;
  const wei = balance - cost;
  await sendEther(client, from, to, wei);
  return wei;
}

async function gasPrice(client: ChainClient): Promise<bigint> {
  return client.public.getGasPrice().catch(rethrow);
}

async function balanceOf(client: ChainClient, address: Address): Promise<bigint> {
  return client.public.getBalance({ address }).catch(rethrow);
}

function rethrow(thrown: unknown): never {
  throw toChainError(thrown);
}
