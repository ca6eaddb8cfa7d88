import type { Endpoint } from '@latent/chain';
import { LatentError } from '@latent/protocol';
import type { ContractCall } from '@latent/sdk';
import { type Address, type Hex, isHex } from 'viem';

const MAX_RESULT_CHARACTERS = 100_000;

/**
 * What a call would return in the newest block that an endpoint has. Nothing is sent.
 * @throws LatentError CHAIN_UNREACHABLE, TIMED_OUT, MESSAGE_INVALID; viem's RpcRequestError, a revert for one
 */
export async function callEscrow(endpoint: Endpoint, call: ContractCall, from?: Address): Promise<Hex> {
  const parameters = { ...call, ...(from === undefined ? {} : { from }) };
  const result = await endpoint.request('eth_call', [parameters, 'latest']);
  if (isHex(result) && result.length <= MAX_RESULT_CHARACTERS) return result;
  throw new LatentError('MESSAGE_INVALID', `Endpoint ${endpoint.name} answers a call with something that is no hex.`);
}
