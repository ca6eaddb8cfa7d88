import {
  type Address,
  createPublicClient,
  custom,
  domainSeparator,
  encodeAbiParameters,
  type Hex,
  parseAbiParameters,
  toFunctionSelector,
  zeroAddress,
} from 'viem';
import { describe, expect, it } from 'vitest';
import { createChainClient } from './connect-chain.ts';
import { tokenDomain } from './token-domain.ts';

const token: Address = '0x00000000000000000000000000000000000000AA';
const domain = { name: 'USD Coin', version: '2', chainId: 5, verifyingContract: token };
const text = (value: string) => encodeAbiParameters(parseAbiParameters('string'), [value]);

const older: Readonly<Record<string, Hex>> = {
  'name()': text(domain.name),
  'version()': text(domain.version),
  'DOMAIN_SEPARATOR()': domainSeparator({ domain }),
};
const stated: Readonly<Record<string, Hex>> = {
  'eip712Domain()': encodeAbiParameters(
    parseAbiParameters('bytes1, string, string, uint256, address, bytes32, uint256[]'),
    ['0x0f', domain.name, domain.version, 5n, token, `0x${'0'.repeat(64)}`, []],
  ),
};

/** A chain on which the token answers these calls and no others. */
function chainOf(answers: Readonly<Record<string, Hex>>) {
  const bySelector = new Map(Object.entries(answers).map(([call, answer]) => [toFunctionSelector(call), answer]));
  const request = async ({ method, params }: { method: string; params?: readonly { readonly data: Hex }[] }) => {
    if (method !== 'eth_call') throw new Error(`asked for ${method}`);
    return bySelector.get(params?.[0]?.data ?? '0x') ?? '0x';
  };
  const client = createChainClient({
    ...{ chainId: 5, rpcUrl: 'http://127.0.0.1:1', token, escrow: zeroAddress, operators: zeroAddress },
    deployedAtBlock: '0',
  });
  return { ...client, public: createPublicClient({ chain: client.chain, transport: custom({ request }) }) };
}

describe('the domain of a token', () => {
  it('is what the token states, without a salt that it does not use', async () => {
    expect(await tokenDomain(chainOf(stated))).toEqual(domain);
  });

  it('is made of name and version where the token is older than ERC-5267', async () => {
    expect(await tokenDomain(chainOf(older))).toEqual(domain);
  });

  it('is not guessed: it has to give the separator that the token checks signatures by', async () => {
    await expect(tokenDomain(chainOf({ ...older, 'version()': text('1') }))).rejects.toMatchObject({
      code: 'CHAIN_WRONG',
    });
  });

  it('is missed by name where a token has none', async () => {
    await expect(tokenDomain(chainOf({ 'name()': text('x') }))).rejects.toMatchObject({ code: 'CHAIN_WRONG' });
  });
});
