import { testDollarAbi } from '@latent/protocol';
import { type Address, encodeFunctionData, type LocalAccount } from 'viem';
import type { DevChain } from './connect-dev-chain.ts';
import { sendInOrder } from './send-in-order.ts';

export interface Grant {
  readonly to: Address;
  /** Base units of the test dollar. */
  readonly amount: bigint;
}

const MINT_GAS = 120_000n;

/**
 * Mints test dollars, all in one block. Anybody may mint: `minter` only pays the gas.
 * @throws LatentError DEVNET_FAILED when the chain refuses
 */
export async function mintDollars(
  chain: DevChain,
  {
    token,
    minter,
    grants,
  }: { readonly token: Address; readonly minter: LocalAccount; readonly grants: readonly Grant[] },
): Promise<void> {
  await sendInOrder(
    chain,
    minter,
    grants.map(({ to, amount }) => ({
      to: token,
      data: encodeFunctionData({ abi: testDollarAbi, functionName: 'mint', args: [to, amount] }),
      gas: MINT_GAS,
    })),
  );
}

/**
 * Of these grants, those to accounts that hold no dollars and have never sent a transaction: whoever was given some before
 * keeps what is left of it, so that balances carry on over restarts.
 */
export async function grantsDue(chain: DevChain, token: Address, grants: readonly Grant[]): Promise<readonly Grant[]> {
  const fresh = await Promise.all(
    grants.map(async ({ to }) => {
      const [dollars, sent] = await Promise.all([
        chain.readContract({ address: token, abi: testDollarAbi, functionName: 'balanceOf', args: [to] }),
        chain.getTransactionCount({ address: to }),
      ]);
      return dollars === 0n && sent === 0;
    }),
  );
  return grants.filter((_, index) => fresh[index]);
}
