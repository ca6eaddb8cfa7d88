import { type Hex, type LocalAccount, parseSignature, type TypedDataDomain } from 'viem';
import type { ChainClient } from './connect-chain.ts';
import { tokenDomain } from './token-domain.ts';

/** Types of ERC-3009. */
const receiveWithAuthorization = [
  { name: 'from', type: 'address' },
  { name: 'to', type: 'address' },
  { name: 'value', type: 'uint256' },
  { name: 'validAfter', type: 'uint256' },
  { name: 'validBefore', type: 'uint256' },
  { name: 'nonce', type: 'bytes32' },
] as const;

/** The last arguments of every `…WithAuthorization` of the escrow: validAfter, validBefore, v, r, s. */
export type AuthorizationArguments = readonly [bigint, bigint, number, Hex, Hex];

/**
 * Signs that the escrow may take `amount` base units from `owner`, once, for what the nonce is the digest of and for
 * nothing else.
 * @param validBefore unix seconds
 * @param domain of the stablecoin, which is asked for it unless given
 * @throws LatentError CHAIN_UNREACHABLE
 */
export async function authorizeTransfer(
  client: ChainClient,
  owner: LocalAccount,
  { amount, nonce, validBefore }: { readonly amount: bigint; readonly nonce: Hex; readonly validBefore: number },
  domain?: TypedDataDomain,
): Promise<AuthorizationArguments> {
  const window = { validAfter: 0n, validBefore: BigInt(validBefore) };
  const signature = await owner.signTypedData({
    domain: domain ?? (await tokenDomain(client)),
    primaryType: 'ReceiveWithAuthorization',
    types: { ReceiveWithAuthorization: receiveWithAuthorization },
    message: { from: owner.address, to: client.deployment.escrow, value: amount, ...window, nonce },
  });
  const { yParity, r, s } = parseSignature(signature);
  return [window.validAfter, window.validBefore, yParity + 27, r, s];
}
