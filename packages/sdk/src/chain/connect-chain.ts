import type { Deployment, EscrowDomain } from '@latent/protocol';
import { LatentError } from '@latent/protocol';
import { type Chain, createPublicClient, defineChain, http, type PublicClient } from 'viem';
import { toChainError } from './chain-error.ts';

/** A chain on which Latent is deployed. */
export interface ChainClient {
  readonly deployment: Deployment;
  readonly domain: EscrowDomain;
  readonly chain: Chain;
  readonly public: PublicClient;
}

/** How often receipts and blocks are asked for. Below 50 ms receipts have been seen to be missed (viem on a local chain). */
const POLLING_INTERVAL_MS = 100;
const REQUEST_TIMEOUT_MS = 10_000;

/** Makes a client; sends nothing yet. */
export function createChainClient(deployment: Deployment): ChainClient {
  const chain = defineChain({
    id: deployment.chainId,
    name: `chain ${deployment.chainId}`,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [deployment.rpcUrl] } },
  });
  return {
    deployment,
    chain,
    domain: { chainId: deployment.chainId, escrow: deployment.escrow },
    public: createPublicClient({
      chain,
      pollingInterval: POLLING_INTERVAL_MS,
      cacheTime: 0,
      transport: http(deployment.rpcUrl, { retryCount: 0, timeout: REQUEST_TIMEOUT_MS }),
    }),
  };
}

/**
 * Makes a client and makes sure that the endpoint serves the chain of the deployment.
 * @throws LatentError CHAIN_UNREACHABLE, CHAIN_WRONG
 */
export async function connectChain(deployment: Deployment): Promise<ChainClient> {
  const client = createChainClient(deployment);
  const served = await client.public.getChainId().catch((thrown: unknown) => {
    throw toChainError(thrown);
  });
  if (served !== deployment.chainId) {
    throw new LatentError(
      'CHAIN_WRONG',
      `The endpoint serves chain ${served}; the deployment is on chain ${deployment.chainId}.`,
      {
        hint: 'Give the RPC endpoint of the right chain.',
      },
    );
  }
  return client;
}
