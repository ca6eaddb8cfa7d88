import type { Endpoints } from '@latent/chain';
import { toLatentError } from '@latent/protocol';
import type { ContractCall } from '@latent/sdk';
import { type Address, hexToBigInt, RpcRequestError, size, slice } from 'viem';
import { callEscrow } from '../chain/call-escrow.ts';

/** `unsure`: some endpoints say that it would, others have not got that far, or say something else. */
export type Simulated = 'carried-out' | 'skipped' | 'unsure';

/**
 * Whether the contract would carry out every row of a call now, by as many endpoints as decide about money. Each of the
 * functions returns how many rows it carried out.
 * @throws LatentError CHAIN_UNREACHABLE when too few answer
 */
export async function simulateBatch(
  endpoints: Endpoints,
  { call, rows, from }: { readonly call: ContractCall; readonly rows: number; readonly from: Address },
): Promise<Simulated> {
  try {
    const all = await endpoints.agree({
      what: `what ${rows} rows would do`,
      work: async (endpoint) => {
        try {
          const result = await callEscrow(endpoint, call, from);
          // undefined contradicts nobody: an endpoint may be a block behind.
          return size(result) >= 32 && hexToBigInt(slice(result, 0, 32)) === BigInt(rows) ? 'all' : undefined;
        } catch (thrown) {
          if (thrown instanceof RpcRequestError && isRevert(thrown)) return undefined;
          throw thrown;
        }
      },
      inWords: (answer) => answer,
    });
    return all === undefined ? 'skipped' : 'carried-out';
  } catch (thrown) {
    const error = toLatentError(thrown);
    if (Number(error.details['agreeing'] ?? 0) > 0) return 'unsure';
    throw error;
  }
}

function isRevert({ code, details }: RpcRequestError): boolean {
  return code === 3 || /revert/i.test(details);
}
