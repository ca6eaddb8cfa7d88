import type { ChainHead } from '@latent/chain';
import type { Clock } from '@latent/kit';

/** The chain's time, which alone decides what is payable and what is late. */
export interface ChainClock {
  /**
   * Unix seconds: that of the newest block, and what has passed since it was first seen. So time goes on where no block
   * comes, or no endpoint tells of one, and the machine's own clock may be wrong. Undefined before the first block.
   */
  nowSeconds(): number | undefined;
}

export function createChainClock(clock: Clock, newest: () => ChainHead | undefined): ChainClock {
  let seen: { readonly hash: string; readonly timestamp: number; readonly atMs: number } | undefined;
  return {
    nowSeconds: () => {
      const head = newest();
      if (head !== undefined && head.hash !== seen?.hash) {
        seen = { hash: head.hash, timestamp: head.timestamp, atMs: clock.nowMs() };
      }
      if (seen === undefined) return undefined;
      return seen.timestamp + Math.max(0, Math.floor((clock.nowMs() - seen.atMs) / 1_000));
    },
  };
}
