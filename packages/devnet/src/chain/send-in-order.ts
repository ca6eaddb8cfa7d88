import { LatentError } from '@latent/protocol';
import type { Address, Hex, LocalAccount, TransactionReceipt } from 'viem';
import type { DevChain } from './connect-dev-chain.ts';

export interface DevCall {
  /** Nothing: creates a contract. */
  readonly to?: Address;
  readonly data: Hex;
  /** Limit. Not estimated, as a call may need what the one before it creates. */
  readonly gas: bigint;
}

const RECEIPT_TIMEOUT_MS = 60_000;

/**
 * Sends calls with successive nonces, without waiting in between, so that they share a block, and waits until all are mined.
 * @throws LatentError DEVNET_FAILED when one is refused
 */
export async function sendInOrder(
  chain: DevChain,
  account: LocalAccount,
  calls: readonly DevCall[],
): Promise<readonly TransactionReceipt[]> {
  const first = await chain.getTransactionCount({ address: account.address, blockTag: 'pending' });
  const hashes: Hex[] = [];
  for (const [index, { to, data, gas }] of calls.entries()) {
    const target = to === undefined ? {} : { to };
    hashes.push(
      await chain.sendTransaction({ account, chain: chain.chain, data, gas, nonce: first + index, ...target }),
    );
  }
  const receipts = await Promise.all(
    hashes.map((hash) => chain.waitForTransactionReceipt({ hash, timeout: RECEIPT_TIMEOUT_MS })),
  );
  for (const { status, transactionHash } of receipts) {
    if (status === 'success') continue;
    throw new LatentError('DEVNET_FAILED', `The local chain refused transaction ${transactionHash}.`, {
      details: { hash: transactionHash },
    });
  }
  return receipts;
}
