import {
  type EscrowDomain,
  LatentError,
  type LeaseTerms,
  leaseEscrowAbi,
  messageTypes,
  signOrder,
} from '@latent/protocol';
import {
  type Address,
  erc20Abi,
  type Hex,
  type LocalAccount,
  parseSignature,
  type TypedDataDomain,
  zeroAddress,
} from 'viem';
import { authorizeTransfer } from '../chain/authorize-transfer.ts';
import { toChainError } from '../chain/chain-error.ts';
import type { ChainClient } from '../chain/connect-chain.ts';
import { readPermit2 } from '../chain/read-escrow.ts';
import { encodeCall, sendTransaction } from '../chain/send-transaction.ts';
import { tokenDomain } from '../chain/token-domain.ts';
import type { matchAsks } from './match-asks.ts';

/** Where the deposit of a lease comes from, and who signs for it. */
export type Funding =
  /** One ERC-3009 signature of the renter, whose nonce is the lease's id. Anybody may send it. */
  | { readonly kind: 'authorization'; readonly renter: LocalAccount }
  /** An ERC-2612 permit, for stablecoins without ERC-3009. The renter sends it. */
  | { readonly kind: 'permit'; readonly renter: LocalAccount }
  /** One Permit2 signature with the order as its witness; `nonce` is one that the renter has not used there. Anybody may send it. */
  | { readonly kind: 'permit2'; readonly renter: LocalAccount; readonly nonce: bigint }
  /** The stablecoin's plain allowance, which is raised first if it is too small. The renter sends it. */
  | { readonly kind: 'allowance'; readonly renter: LocalAccount }
  /** The renter's balance in the escrow. Anybody may send it, with the renter's signature. */
  | { readonly kind: 'balance'; readonly renter: LocalAccount }
  /** The renter's balance, by a session key within its limits: `order.session` is that key. The refund goes back to the balance. */
  | { readonly kind: 'session'; readonly session: LocalAccount };

/** Whose signature or call a way of paying needs. */
export function signerOf(funding: Funding): LocalAccount {
  return funding.kind === 'session' ? funding.session : funding.renter;
}

export interface OpeningCall {
  readonly terms: LeaseTerms;
  readonly leaseId: Hex;
  /** See `matchAsks`. */
  readonly matched: ReturnType<typeof matchAsks>;
  readonly funding: Funding;
  /** Who sends the transaction and pays its gas. */
  readonly sender: Address;
  /** Of the stablecoin, which is asked for it unless given. */
  readonly tokenDomain?: TypedDataDomain | undefined;
}

/**
 * The call that opens a lease, signed as its funding wants.
 * @throws LatentError NOT_ALLOWED where the renter has to send it and does not; CHAIN_REVERTED (`details.error` NoPermit2);
 * those of `sendTransaction` where the allowance is raised
 */
export async function encodeOpening(client: ChainClient, call: OpeningCall): Promise<Hex> {
  const { terms, leaseId, matched, funding, sender, tokenDomain: domain } = call;
  const { order } = terms;
  switch (funding.kind) {
    case 'authorization': {
      const wanted = { amount: order.deposit, nonce: leaseId, validBefore: order.openBy };
      const authorization = await authorizeTransfer(client, funding.renter, wanted, domain);
      return encodeCall({
        abi: leaseEscrowAbi,
        functionName: 'openWithAuthorization',
        args: [order, matched, ...authorization],
      });
    }
    case 'permit': {
      requireRenter(order.renter, sender, 'a permit');
      const permit = await signPermit(client, { owner: funding.renter, domain }, order.deposit, order.openBy);
      return encodeCall({ abi: leaseEscrowAbi, functionName: 'openWithPermit', args: [order, matched, ...permit] });
    }
    case 'permit2': {
      const deadline = BigInt(order.openBy);
      const signature = await signPermit2(client, funding, terms);
      const args = [order, matched, funding.nonce, deadline, signature] as const;
      return encodeCall({ abi: leaseEscrowAbi, functionName: 'openWithPermit2', args });
    }
    case 'allowance':
      requireRenter(order.renter, sender, 'an allowance');
      await raiseAllowance(client, funding.renter, order.deposit);
      return encodeCall({ abi: leaseEscrowAbi, functionName: 'open', args: [order, matched] });
    case 'balance':
    case 'session': {
      const signer = signerOf(funding);
      const signature = sender === signer.address ? '0x' : await signOrder(signer, client.domain, terms);
      return encodeCall({ abi: leaseEscrowAbi, functionName: 'openFromBalance', args: [order, matched, signature] });
    }
    default:
      return funding satisfies never;
  }
}

/**
 * Lets the escrow take `amount` base units of the owner's, unless it may already.
 * @throws LatentError those of `sendTransaction`
 */
export async function raiseAllowance(client: ChainClient, owner: LocalAccount, amount: bigint): Promise<void> {
  const { token, escrow } = client.deployment;
  const allowed = await client.public
    .readContract({ address: token, abi: erc20Abi, functionName: 'allowance', args: [owner.address, escrow] })
    .catch((thrown: unknown) => {
      throw toChainError(thrown);
    });
  if (allowed >= amount) return;
  const data = encodeCall({ abi: erc20Abi, functionName: 'approve', args: [escrow, amount] });
  await sendTransaction(client, owner, { to: token, data });
}

function requireRenter(renter: Address, sender: Address, what: string): void {
  if (renter === sender) return;
  throw new LatentError('NOT_ALLOWED', `A lease that is paid by ${what} is opened by its renter, not by ${sender}.`, {
    hint: 'Pay by authorization, or from the balance, to let somebody else send it.',
  });
}

/** ERC-2612. */
async function signPermit(
  client: ChainClient,
  { owner, domain }: { readonly owner: LocalAccount; readonly domain: TypedDataDomain | undefined },
  value: bigint,
  deadline: number,
) {
  const { token, escrow } = client.deployment;
  const nonce = await client.public
    .readContract({ address: token, abi: tokenNoncesAbi, functionName: 'nonces', args: [owner.address] })
    .catch((thrown: unknown) => {
      throw toChainError(thrown);
    });
  const signature = await owner.signTypedData({
    domain: domain ?? (await tokenDomain(client)),
    primaryType: 'Permit',
    types: { Permit: permitFields },
    message: { owner: owner.address, spender: escrow, value, nonce, deadline: BigInt(deadline) },
  });
  const { yParity, r, s } = parseSignature(signature);
  return [BigInt(deadline), yParity + 27, r, s] as const;
}

async function signPermit2(
  client: ChainClient,
  { renter, nonce }: Extract<Funding, { readonly kind: 'permit2' }>,
  terms: LeaseTerms,
): Promise<Hex> {
  const permit2 = await readPermit2(client);
  if (permit2 === zeroAddress) {
    throw new LatentError('CHAIN_REVERTED', 'The escrow was made for a chain without Permit2.', {
      details: { error: 'NoPermit2' },
      hint: 'Pay by authorization, permit or allowance.',
    });
  }
  return renter.signTypedData(permit2TypedData(client.domain, permit2, client.deployment.token, nonce, terms));
}

/** What Permit2 checks: its own transfer, with the whole order as a witness. Source: Permit2's `PermitHash.hashWithWitness`. */
export function permit2TypedData(
  { chainId, escrow }: EscrowDomain,
  permit2: Address,
  token: Address,
  nonce: bigint,
  { order, members }: LeaseTerms,
) {
  return {
    domain: { name: 'Permit2', chainId, verifyingContract: permit2 },
    primaryType: 'PermitWitnessTransferFrom' as const,
    types: {
      PermitWitnessTransferFrom: [
        { name: 'permitted', type: 'TokenPermissions' },
        { name: 'spender', type: 'address' },
        { name: 'nonce', type: 'uint256' },
        { name: 'deadline', type: 'uint256' },
        { name: 'witness', type: 'Order' },
      ],
      TokenPermissions: [
        { name: 'token', type: 'address' },
        { name: 'amount', type: 'uint256' },
      ],
      Order: messageTypes.Order,
      Member: messageTypes.Member,
    },
    message: {
      permitted: { token, amount: order.deposit },
      spender: escrow,
      nonce,
      deadline: BigInt(order.openBy),
      witness: { ...order, members },
    },
  };
}

const permitFields = [
  { name: 'owner', type: 'address' },
  { name: 'spender', type: 'address' },
  { name: 'value', type: 'uint256' },
  { name: 'nonce', type: 'uint256' },
  { name: 'deadline', type: 'uint256' },
] as const;

const tokenNoncesAbi = [
  {
    type: 'function',
    name: 'nonces',
    stateMutability: 'view',
    inputs: [{ name: 'owner', type: 'address' }],
    outputs: [{ name: '', type: 'uint256' }],
  },
] as const;
