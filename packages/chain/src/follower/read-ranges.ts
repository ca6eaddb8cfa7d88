import type { Logger } from '@latent/kit';
import type { Address } from 'viem';
import type { Endpoints } from '../endpoints/endpoints.ts';
import { RangeRefused } from '../endpoints/range-refused.ts';
import { type AdvanceContext, least, most } from './advance-context.ts';

export interface ReadRangesOptions {
  readonly endpoints: Endpoints;
  readonly logger: Logger;
  readonly addresses: readonly Address[];
  readonly maxRangeBlocks: bigint;
}

/** Makes a reader that asks for half as much where an endpoint refuses, and for a quarter more where it does not. */
export function createReadRanges(options: ReadRangesOptions): AdvanceContext['agreedLogs'] {
  const { endpoints, logger, addresses, maxRangeBlocks } = options;
  let rangeBlocks = maxRangeBlocks;
  return async (from, to) => {
    for (;;) {
      const end = least(to, from + rangeBlocks - 1n);
      try {
        const agreed = await endpoints.agreedLogs({ addresses, from, to: end });
        rangeBlocks = least(maxRangeBlocks, rangeBlocks + rangeBlocks / 4n + 1n);
        return agreed;
      } catch (thrown) {
        if (!(thrown instanceof RangeRefused)) throw thrown;
        rangeBlocks = most(1n, (end - from + 1n) / 2n);
        logger.debug({ from, to: end, rangeBlocks }, 'an endpoint refuses the range; asking for less');
      }
    }
  };
}
