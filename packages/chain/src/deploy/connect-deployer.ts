import { type Chain, createPublicClient, defineChain, http, type PublicClient } from 'viem';

const POLLING_INTERVAL_MS = 100;
const REQUEST_TIMEOUT_MS = 20_000;

/** A chain to deploy to, by one endpoint. */
export interface DeployChain {
  readonly chain: Chain;
  readonly rpcUrl: string;
  readonly public: PublicClient;
}

/** Sends nothing yet. */
export function connectDeployer(rpcUrl: string, chainId: number): DeployChain {
  const chain = defineChain({
    id: chainId,
    name: `chain ${chainId}`,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  });
  const transport = http(rpcUrl, { retryCount: 0, timeout: REQUEST_TIMEOUT_MS });
  return {
    ...{ chain, rpcUrl },
    public: createPublicClient({ chain, pollingInterval: POLLING_INTERVAL_MS, cacheTime: 0, transport }),
  };
}
