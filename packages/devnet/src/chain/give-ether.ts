import { type Address, parseEther } from 'viem';
import type { DevChain } from './connect-dev-chain.ts';

/** What every account of a local chain has to pay gas with. */
const ETHER_EACH = parseEther('1000');

/** Gives accounts ether out of nothing, up to `ETHER_EACH`. */
export async function giveEther(chain: DevChain, accounts: readonly Address[]): Promise<void> {
  await Promise.all(
    accounts.map(async (address) => {
      const value = await chain.getBalance({ address });
      if (value < ETHER_EACH) await chain.setBalance({ address, value: ETHER_EACH });
    }),
  );
}
