import { createTestClient, defineChain, http, publicActions, walletActions } from 'viem';

/** Below 50 ms receipts have been seen to be missed. */
const POLLING_INTERVAL_MS = 100;
const REQUEST_TIMEOUT_MS = 10_000;

/** A client of a local chain that can also do what only such a chain allows: give away ether, move time. Sends nothing. */
export function connectDevChain(rpcUrl: string, chainId: number) {
  return createTestClient({
    mode: 'anvil',
    chain: defineChain({
      id: chainId,
      name: `local chain ${chainId}`,
      nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
      rpcUrls: { default: { http: [rpcUrl] } },
    }),
    pollingInterval: POLLING_INTERVAL_MS,
    cacheTime: 0,
    transport: http(rpcUrl, { retryCount: 0, timeout: REQUEST_TIMEOUT_MS }),
  })
    .extend(publicActions)
    .extend(walletActions);
}
export type DevChain = ReturnType<typeof connectDevChain>;
