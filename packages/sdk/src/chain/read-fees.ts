import { LatentError } from '@latent/protocol';
import type { ChainClient } from './connect-chain.ts';

/** Wei per gas (EIP-1559). */
export interface GasFees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

/** How far the base fee may rise until a transaction is mined. */
const BASE_FEE_MARGIN_PERCENT = 20n;

/**
 * What a transaction would pay now.
 * @throws LatentError CHAIN_WRONG on a chain without EIP-1559; viem's errors
 */
export async function readFees({ public: chain }: ChainClient): Promise<GasFees> {
  const [{ baseFeePerGas }, maxPriorityFeePerGas] = await Promise.all([
    chain.getBlock(),
    chain.estimateMaxPriorityFeePerGas(),
  ]);
  if (baseFeePerGas === null) {
    throw new LatentError('CHAIN_WRONG', 'The chain states no base fee (EIP-1559).', {
      hint: 'Chains without it are not supported.',
    });
  }
  const maxFeePerGas = (baseFeePerGas * (100n + BASE_FEE_MARGIN_PERCENT)) / 100n + maxPriorityFeePerGas;
  return { maxFeePerGas, maxPriorityFeePerGas };
}
