import type { DevChain } from './connect-dev-chain.ts';

/**
 * Moves the chain's clock ahead of the machine's if its last block is: anvil forgets when it restarts that time was
 * moved, and would let the next block be older than the last. To be called before it mines.
 * @param nowMs milliseconds since the epoch
 */
export async function keepTimeMonotonic(chain: DevChain, nowMs: number): Promise<void> {
  const { timestamp } = await chain.getBlock({ blockTag: 'latest' });
  const aheadSeconds = Number(timestamp) - Math.floor(nowMs / 1000);
  if (aheadSeconds > 0) await chain.increaseTime({ seconds: aheadSeconds });
}

/**
 * Moves the chain's clock forward and mines a block there.
 * @param seconds whole, at least 1
 * @returns timestamp of the new block, in seconds
 */
export async function advanceChainTime(chain: DevChain, seconds: number): Promise<bigint> {
  await chain.increaseTime({ seconds });
  await chain.mine({ blocks: 1 });
  const { timestamp } = await chain.getBlock({ blockTag: 'latest' });
  return timestamp;
}
