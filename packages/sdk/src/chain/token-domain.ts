import type { TypedDataDomain } from 'viem';
import { toChainError } from './chain-error.ts';
import type { ChainClient } from './connect-chain.ts';

/** The stablecoin's own EIP-712 domain, as it states it (ERC-5267). */
export async function tokenDomain(client: ChainClient): Promise<TypedDataDomain> {
  try {
    const { domain } = await client.public.getEip712Domain({ address: client.deployment.token });
    return domain;
  } catch (thrown) {
    throw toChainError(thrown);
  }
}
