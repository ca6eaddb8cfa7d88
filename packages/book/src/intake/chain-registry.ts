import { type Deployment, LatentError, operatorsAbi } from '@latent/protocol';
import { BaseError, createPublicClient, HttpRequestError, http, TimeoutError, zeroAddress } from 'viem';
import type { OperatorRegistry } from './operator-registry.ts';

const REQUEST_TIMEOUT_MS = 5_000;

/** The registry on chain. Sends nothing until it is first asked; makes sure once that the endpoint serves the right chain. */
export function createChainRegistry(deployment: Deployment): OperatorRegistry {
  // Calls that come together go as one request: a book that starts asks about every agent at once.
  const transport = http(deployment.rpcUrl, { batch: true, retryCount: 0, timeout: REQUEST_TIMEOUT_MS });
  const client = createPublicClient({ transport });
  let isRightChain = false;

  const checkChain = async () => {
    if (isRightChain) return;
    const chainId = await client.getChainId();
    if (chainId !== deployment.chainId) {
      throw new LatentError(
        'CHAIN_WRONG',
        `The endpoint serves chain ${chainId}; the deployment is on chain ${deployment.chainId}.`,
        { hint: 'Give the RPC endpoint of the right chain.' },
      );
    }
    isRightChain = true;
  };

  return {
    agentOf: async (agentKey, signal) => {
      signal.throwIfAborted();
      try {
        await checkChain();
        const { operator, epoch } = await client.readContract({
          address: deployment.operators,
          abi: operatorsAbi,
          functionName: 'agent',
          args: [agentKey],
        });
        return operator === zeroAddress ? undefined : { operator, epoch };
      } catch (thrown) {
        signal.throwIfAborted();
        throw registryError(thrown);
      }
    },
  };
}

function registryError(thrown: unknown): LatentError {
  if (thrown instanceof LatentError) return thrown;
  const isSilent = (cause: unknown) => cause instanceof HttpRequestError || cause instanceof TimeoutError;
  if (thrown instanceof BaseError && thrown.walk(isSilent) !== null) {
    return new LatentError('CHAIN_UNREACHABLE', `The chain does not answer: ${thrown.shortMessage}`, {
      hint: 'Asks are kept until it does.',
      cause: thrown,
    });
  }
  return new LatentError('CHAIN_WRONG', 'The contract of the operators does not answer as it should.', {
    hint: 'Check the addresses of the deployment.',
    cause: thrown,
  });
}
