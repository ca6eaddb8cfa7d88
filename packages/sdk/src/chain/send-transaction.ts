import { LatentError } from '@latent/protocol';
import {
  type Address,
  createWalletClient,
  encodeFunctionData,
  type Hex,
  http,
  type LocalAccount,
  type TransactionReceipt,
} from 'viem';
import { toChainError } from './chain-error.ts';
import type { ChainClient } from './connect-chain.ts';

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

/**
 * Estimates, signs and sends one call, and waits until it is mined.
 * @throws LatentError CHAIN_REVERTED (with the contract's error where known), CHAIN_UNREACHABLE, FUNDS_TOO_LOW, TIMED_OUT
 */
export async function sendTransaction(
  client: ChainClient,
  account: LocalAccount,
  call: ContractCall,
): Promise<SentTransaction> {
  try {
    const wallet = createWalletClient({
      account,
      chain: client.chain,
      transport: http(client.deployment.rpcUrl, { retryCount: 0 }),
    });
    const estimate = await client.public.estimateGas({ account, ...call });
    const hash = await wallet.sendTransaction({ ...call, gas: (estimate * (100n + GAS_MARGIN_PERCENT)) / 100n });
    const receipt = await client.public.waitForTransactionReceipt({ hash, timeout: RECEIPT_TIMEOUT_MS });
    if (receipt.status !== 'success') {
      throw new LatentError('CHAIN_REVERTED', `Transaction ${hash} was mined, but the contract refused it.`, {
        details: { hash },
      });
    }
    return { hash, gasUsed: receipt.gasUsed, receipt };
  } catch (thrown) {
    throw toChainError(thrown);
  }
}
