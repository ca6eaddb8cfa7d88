import { toChainError } from '../chain/chain-error.ts';
import type { ChainClient } from '../chain/connect-chain.ts';

/**
 * What the contract takes for now: the time of the latest block, in unix seconds. Whether a lease can still be opened, or
 * a closing window has passed, is decided by this clock and by no machine's own.
 * @throws LatentError CHAIN_UNREACHABLE
 */
export async function readChainTime(client: ChainClient): Promise<number> {
  try {
    const { timestamp } = await client.public.getBlock({ blockTag: 'latest', includeTransactions: false });
    return Number(timestamp);
  } catch (thrown) {
    throw toChainError(thrown);
  }
}
