import { leaseEscrowAbi } from '@latent/protocol';
import { type Address, erc20Abi } from 'viem';
import { toChainError } from '../chain/chain-error.ts';
import type { ChainClient } from '../chain/connect-chain.ts';

/** What an account can spend. */
export interface Balances {
  /** Base units that the escrow keeps for it. */
  readonly inEscrow: bigint;
  /** Base units of the stablecoin in its own wallet. */
  readonly inWallet: bigint;
  /** Wei, for gas. */
  readonly ether: bigint;
}

/** @throws LatentError CHAIN_UNREACHABLE */
export async function readBalances({ public: chain, deployment }: ChainClient, owner: Address): Promise<Balances> {
  const { escrow, token } = deployment;
  try {
    const [inEscrow, inWallet, ether] = await Promise.all([
      chain.readContract({ address: escrow, abi: leaseEscrowAbi, functionName: 'balanceOf', args: [owner] }),
      chain.readContract({ address: token, abi: erc20Abi, functionName: 'balanceOf', args: [owner] }),
      chain.getBalance({ address: owner }),
    ]);
    return { inEscrow, inWallet, ether };
  } catch (thrown) {
    throw toChainError(thrown);
  }
}
