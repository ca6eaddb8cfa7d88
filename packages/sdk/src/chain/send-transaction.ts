import { LatentError } from '@latent/protocol';
import {
  type Address,
  BaseError,
  encodeFunctionData,
  type Hex,
  type LocalAccount,
  type TransactionReceipt,
} from 'viem';
import { getTransactionError } from 'viem/utils';
import { toChainError } from './chain-error.ts';
import type { ChainClient } from './connect-chain.ts';
import { type GasFees, readFees } from './read-fees.ts';
import { takeTurn } from './take-turn.ts';

/** A transaction that was mined and succeeded. */
export interface SentTransaction {
  readonly hash: Hex;
  readonly gasUsed: bigint;
  readonly receipt: TransactionReceipt;
}

const RECEIPT_TIMEOUT_MS = 120_000;
/** What is added to the estimate: other transactions of the same block may change what storage costs. */
const GAS_MARGIN_PERCENT = 20n;

/** An encoded call, see `encodeFunctionData`. */
export interface ContractCall {
  readonly to: Address;
  readonly data: Hex;
  /** Wei that go with it; none unless given. */
  readonly value?: bigint;
}

export const encodeCall = encodeFunctionData;

/** A call with everything that its transaction takes, not signed yet. */
export interface PreparedTransaction {
  readonly account: LocalAccount;
  readonly call: ContractCall;
  readonly gas: bigint;
  readonly nonce: number;
  readonly fees: GasFees;
}

/**
 * Estimates, signs and sends one call, and waits until it is mined.
 * @throws LatentError CHAIN_REVERTED (with the contract's error where known), CHAIN_UNREACHABLE, FUNDS_TOO_LOW, TIMED_OUT
 */
export async function sendTransaction(
  client: ChainClient,
  account: LocalAccount,
  call: ContractCall,
): Promise<SentTransaction> {
  const submit = async () => submitTransaction(client, await prepareTransaction(client, account, call));
  return awaitMined(client, await takeTurn(client, account.address, submit));
}

/**
 * Asks for all that a transaction takes, at once. Sends nothing.
 * @param fees asked for unless given
 * @throws LatentError CHAIN_REVERTED (with the contract's error where known), CHAIN_UNREACHABLE
 */
export async function prepareTransaction(
  client: ChainClient,
  account: LocalAccount,
  call: ContractCall,
  fees?: GasFees,
): Promise<PreparedTransaction> {
  const { address } = account;
  try {
    const [estimate, nonce, known] = await Promise.all([
      client.public.estimateGas({ account: address, ...call }),
      client.public.getTransactionCount({ address, blockTag: 'pending' }),
      fees ?? readFees(client),
    ]);
    return { account, call, gas: (estimate * (100n + GAS_MARGIN_PERCENT)) / 100n, nonce, fees: known };
  } catch (thrown) {
    throw toChainError(thrown);
  }
}

/**
 * Signs and sends a transaction.
 * @returns its hash: the chain has taken it, and will mine it or not
 * @throws LatentError CHAIN_REVERTED, CHAIN_UNREACHABLE, FUNDS_TOO_LOW
 */
export async function submitTransaction(
  client: ChainClient,
  { account, call, gas, nonce, fees }: PreparedTransaction,
): Promise<Hex> {
  const { id: chainId } = client.chain;
  try {
    const signed = await account.signTransaction({ type: 'eip1559', chainId, nonce, gas, ...fees, ...call });
    return await client.public.sendRawTransaction({ serializedTransaction: signed });
  } catch (thrown) {
    // Only this tells that an account has too little from anything else that a node can say.
    throw toChainError(
      thrown instanceof BaseError ? getTransactionError(thrown, { account, ...call, gas, nonce, ...fees }) : thrown,
    );
  }
}

/** @throws LatentError CHAIN_REVERTED if it was mined and refused; CHAIN_UNREACHABLE, TIMED_OUT */
export async function awaitMined(client: ChainClient, hash: Hex): Promise<SentTransaction> {
  try {
    const receipt = await client.public.waitForTransactionReceipt({ hash, timeout: RECEIPT_TIMEOUT_MS });
    if (receipt.status === 'success') return { hash, gasUsed: receipt.gasUsed, receipt };
  } catch (thrown) {
    throw toChainError(thrown);
  }
  throw new LatentError('CHAIN_REVERTED', `Transaction ${hash} was mined, but the contract refused it.`, {
    details: { hash },
  });
}
