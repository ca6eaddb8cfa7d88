import type { Endpoints } from '@latent/chain';
import { LatentError } from '@latent/protocol';

/** What whoever builds the block is expected to get, where no endpoint says. */
const USUAL_TIP_WEI = 1_000_000n;
const MOST_TIP_WEI = 2_000_000_000n;

/**
 * Wei per gas that a transaction is likely to pay now: the base fee of the newest block, an eighth on top as it may rise
 * once, and a tip. An endpoint that says too little makes nothing dearer: what is worth it bounds what is paid.
 * @throws LatentError CHAIN_UNREACHABLE, CHAIN_WRONG
 */
export async function readWeiPerGas(endpoints: Endpoints): Promise<bigint> {
  return endpoints.onOne(async (endpoint) => {
    const block = await endpoint.block('latest');
    if (block === undefined)
      throw new LatentError('CHAIN_UNREACHABLE', `Endpoint ${endpoint.name} has no newest block.`);
    const tip = await endpoint.request('eth_maxPriorityFeePerGas', []).catch(() => undefined);
    const said = typeof tip === 'string' && /^0x[0-9a-f]{1,20}$/i.test(tip) ? BigInt(tip) : USUAL_TIP_WEI;
    const base = block.baseFeePerGas ?? 0n;
    return base + base / 8n + (said < MOST_TIP_WEI ? said : MOST_TIP_WEI);
  });
}
