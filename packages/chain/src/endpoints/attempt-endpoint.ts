import { LatentError } from '@latent/protocol';
import { RpcRequestError } from 'viem';
import { quantitySchema } from './chain-shapes.ts';
import { faultText, isEndpointFault } from './endpoint-faults.ts';
import type { HealthBoard } from './endpoint-health.ts';
import type { Endpoint } from './endpoints.ts';

export interface Pool {
  readonly chainId: number;
  readonly endpoints: readonly Endpoint[];
  readonly board: HealthBoard;
}

export type Fault = LatentError | RpcRequestError;
/** Does work at one endpoint, and remembers how that went. */
export type TryAt = <Result>(index: number, work: (endpoint: Endpoint) => Promise<Result>) => Promise<Result>;

/** Checks the endpoint for its chain first, where that is not known. */
export async function attempt<Result>(
  { chainId, endpoints, board }: Pool,
  index: number,
  work: (endpoint: Endpoint) => Promise<Result>,
): Promise<Result> {
  const endpoint = endpoints[index];
  if (endpoint === undefined) throw new LatentError('INTERNAL', `There is no endpoint ${index}.`);
  try {
    if (!board.isVerified(index)) {
      await checkChain(endpoint, chainId);
      board.noteVerified(index);
    }
    const result = await work(endpoint);
    board.noteWell(index);
    return result;
  } catch (thrown) {
    if (!isEndpointFault(thrown)) {
      if (thrown instanceof RpcRequestError) board.noteWell(index);
      throw thrown;
    }
    if (thrown instanceof LatentError && thrown.code === 'CHAIN_WRONG') board.noteWrongChain(index, thrown.message);
    else if (isItsOwnFailure(thrown)) board.noteFailure(index, faultText(thrown));
    throw thrown;
  }
}

/** An answer that is too long for us, or a method that it does not know, says nothing against the endpoint. */
function isItsOwnFailure(fault: Fault): boolean {
  if (fault instanceof RpcRequestError) return fault.code === -32005 || fault.code === 429;
  return fault.code !== 'MESSAGE_TOO_LARGE';
}

async function checkChain(endpoint: Endpoint, chainId: number): Promise<void> {
  const parsed = quantitySchema.safeParse(await endpoint.request('eth_chainId', []));
  if (parsed.success && parsed.data === BigInt(chainId)) return;
  const served = parsed.success ? `chain ${parsed.data}` : 'something that is no chain id';
  throw new LatentError('CHAIN_WRONG', `Endpoint ${endpoint.name} serves ${served}, not chain ${chainId}.`, {
    hint: 'Give the RPC endpoint of the right chain.',
    details: { endpoint: endpoint.name, chainId },
  });
}
