import { LatentError } from '@latent/protocol';
import { ContractFunctionExecutionError, domainSeparator, erc20Abi, parseAbi, type TypedDataDomain } from 'viem';
import { toChainError } from './chain-error.ts';
import type { ChainClient } from './connect-chain.ts';

/** Bits of ERC-5267's `fields`, in the order name, version, chainId, verifyingContract, salt. */
const SALT_BIT = 0x10;

const olderAbi = parseAbi([
  'function version() view returns (string)',
  'function DOMAIN_SEPARATOR() view returns (bytes32)',
]);

/**
 * The stablecoin's own EIP-712 domain: as it states it by ERC-5267, or made of the older `name()` and `version()`, which
 * Circle's stablecoin has (https://github.com/circlefin/stablecoin-evm, contracts/v2), and held to its `DOMAIN_SEPARATOR()`.
 * @throws LatentError CHAIN_WRONG if it has none that can be found out; CHAIN_UNREACHABLE
 */
export async function tokenDomain(client: ChainClient): Promise<TypedDataDomain> {
  try {
    return (await statedDomain(client)) ?? (await olderDomain(client));
  } catch (thrown) {
    throw toChainError(thrown);
  }
}

/** A salt that the token does not use comes as zeros, and would change the digest if it were left in. */
async function statedDomain(client: ChainClient): Promise<TypedDataDomain | undefined> {
  try {
    const { domain, fields } = await client.public.getEip712Domain({ address: client.deployment.token });
    const { salt, ...rest } = domain;
    return (Number(fields) & SALT_BIT) === 0 ? rest : { ...rest, salt };
  } catch (thrown) {
    // viem does not export the class.
    if (thrown instanceof Error && thrown.name === 'Eip712DomainNotFoundError') return undefined;
    throw thrown;
  }
}

async function olderDomain(client: ChainClient): Promise<TypedDataDomain> {
  const { token: address, chainId } = client.deployment;
  const read = async () =>
    Promise.all([
      client.public.readContract({ address, abi: erc20Abi, functionName: 'name' }),
      client.public.readContract({ address, abi: olderAbi, functionName: 'version' }),
      client.public.readContract({ address, abi: olderAbi, functionName: 'DOMAIN_SEPARATOR' }),
    ]);
  const [name, version, separator] = await read().catch((cause: unknown) => {
    throw cause instanceof ContractFunctionExecutionError && isSilent(cause) ? noDomain(address, cause) : cause;
  });
  const domain = { name, version, chainId, verifyingContract: address };
  if (domainSeparator({ domain }) !== separator) throw noDomain(address, undefined);
  return domain;
}

/** Whether the contract has no such function, and not the chain that does not answer. */
function isSilent(thrown: ContractFunctionExecutionError): boolean {
  return ['ContractFunctionRevertedError', 'ContractFunctionZeroDataError'].includes(thrown.cause.name);
}

function noDomain(token: string, cause: unknown): LatentError {
  return new LatentError('CHAIN_WRONG', `The token ${token} does not say what signatures for it are made over.`, {
    hint: 'Pay by allowance, Permit2 or from the balance; or is this the right deployment file?',
    cause,
  });
}
