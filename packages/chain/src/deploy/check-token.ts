import { type CheckList, TOKEN_DECIMALS } from '@latent/protocol';
import type { ChainReader } from '@latent/sdk';
import {
  type Address,
  decodeFunctionResult,
  domainSeparator,
  encodeFunctionData,
  erc20Abi,
  type Hex,
  parseAbi,
  type TypedDataDomain,
} from 'viem';
import { readCode, readView } from './read-view.ts';

const domainAbi = parseAbi([
  'function eip712Domain() view returns (bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)',
  'function version() view returns (string)',
  'function DOMAIN_SEPARATOR() view returns (bytes32)',
  'function authorizationState(address authorizer, bytes32 nonce) view returns (bool)',
]);

/** Canonical Permit2, the same on every chain that has it. */
export const PERMIT2: Address = '0x000000000022D473030F116dDEE9F6B43aC78BA3';
const PERMIT2_NAME = 'Permit2';

/** What a token has to be for the escrow: six decimals, and a domain that signatures can be made for. */
export async function checkToken(list: CheckList, reader: ChainReader, chainId: number, token: Address): Promise<void> {
  const code = await readCode(reader, token);
  if (!list.holds(`token at ${token}: has code`, code !== '0x', 'there is none')) return;
  const decimals = await readView(
    reader,
    token,
    encodeFunctionData({ abi: erc20Abi, functionName: 'decimals' }),
    (data) => decodeFunctionResult({ abi: erc20Abi, functionName: 'decimals', data }),
  );
  list.same('token: decimals', decimals ?? 'none', TOKEN_DECIMALS);
  const separator = await readSeparator(reader, token);
  const domain = await readDomain(reader, token, chainId);
  const what = 'token: EIP-712 domain';
  if (separator === undefined || domain === undefined) {
    list.unchecked(what, 'it names none: leases cannot be paid for by signature of this token');
    return;
  }
  list.same(`${what} "${domain.name}", version "${domain.version}"`, separator, domainSeparator({ domain }));
  const call = { abi: domainAbi, functionName: 'authorizationState' } as const;
  const args = [token, separator] as const;
  const state = await readView(reader, token, encodeFunctionData({ ...call, args }), (data) =>
    decodeFunctionResult({ ...call, data }),
  );
  if (state === undefined)
    list.unchecked('token: ERC-3009', 'it has none: leases are paid for by permit, Permit2 or transaction');
  else list.holds('token: ERC-3009', true, '');
}

/** ERC-5267, or the older `version()` that Circle's stablecoin has. */
async function readDomain(reader: ChainReader, token: Address, chainId: number): Promise<TypedDataDomain | undefined> {
  const own = { abi: domainAbi, functionName: 'eip712Domain' } as const;
  const stated = await readView(reader, token, encodeFunctionData(own), (data) =>
    decodeFunctionResult({ ...own, data }),
  );
  if (stated !== undefined) {
    const [fields, name, version, statedChain, verifyingContract, salt] = stated;
    const domain = { name, version, chainId: Number(statedChain), verifyingContract };
    return (Number(fields) & 0x10) === 0 ? domain : { ...domain, salt };
  }
  const call = { abi: erc20Abi, functionName: 'name' } as const;
  const name = await readView(reader, token, encodeFunctionData(call), (data) =>
    decodeFunctionResult({ ...call, data }),
  );
  const older = { abi: domainAbi, functionName: 'version' } as const;
  const version = await readView(reader, token, encodeFunctionData(older), (data) =>
    decodeFunctionResult({ ...older, data }),
  );
  return name === undefined || version === undefined ? undefined : { name, version, chainId, verifyingContract: token };
}

function readSeparator(reader: ChainReader, contract: Address): Promise<Hex | undefined> {
  const call = { abi: domainAbi, functionName: 'DOMAIN_SEPARATOR' } as const;
  return readView(reader, contract, encodeFunctionData(call), (data) => decodeFunctionResult({ ...call, data }));
}

/** Whether Permit2 is at this address: code, and its own domain on this chain. */
export async function isPermit2(reader: ChainReader, chainId: number, address: Address): Promise<boolean> {
  const separator = await readSeparator(reader, address);
  return separator === domainSeparator({ domain: { name: PERMIT2_NAME, chainId, verifyingContract: address } });
}
