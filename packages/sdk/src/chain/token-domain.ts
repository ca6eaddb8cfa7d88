import type { TypedDataDomain } from 'viem';
import { toChainError } from './chain-error.ts';
import type { ChainClient } from './connect-chain.ts';

/** Bits of ERC-5267's `fields`, in the order name, version, chainId, verifyingContract, salt. */
const SALT_BIT = 0x10;

/**
 * The stablecoin's own EIP-712 domain, as it states it (ERC-5267).
 * A salt that the token does not use comes as zeros, and would change the digest if it were left in.
 */
export async function tokenDomain(client: ChainClient): Promise<TypedDataDomain> {
  try {
    const { domain, fields } = await client.public.getEip712Domain({ address: client.deployment.token });
    const { salt, ...rest } = domain;
    return (Number(fields) & SALT_BIT) === 0 ? rest : { ...rest, salt };
  } catch (thrown) {
    throw toChainError(thrown);
  }
}
