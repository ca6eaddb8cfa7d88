import { leaseEscrowAbi } from '@latent/protocol';
import type { Address, Hex } from 'viem';
import { toChainError } from './chain-error.ts';
import type { ChainClient } from './connect-chain.ts';

/** The next number that an account has to sign in a session grant or a withdrawal. @throws LatentError CHAIN_UNREACHABLE */
export async function readNonce({ public: chain, deployment }: ChainClient, owner: Address): Promise<bigint> {
  return chain
    .readContract({ address: deployment.escrow, abi: leaseEscrowAbi, functionName: 'nonces', args: [owner] })
    .catch(rethrow);
}

/** What the escrow recorded when the lease was last changed; zero if it never was. @throws LatentError CHAIN_UNREACHABLE */
export async function readRosterHash({ public: chain, deployment }: ChainClient, leaseId: Hex): Promise<Hex> {
  return chain
    .readContract({ address: deployment.escrow, abi: leaseEscrowAbi, functionName: 'rosterHash', args: [leaseId] })
    .catch(rethrow);
}

/** The Permit2 that the escrow was made with; the zero address where the chain has none. @throws LatentError CHAIN_UNREACHABLE */
export async function readPermit2({ public: chain, deployment }: ChainClient): Promise<Address> {
  return chain
    .readContract({ address: deployment.escrow, abi: leaseEscrowAbi, functionName: 'permit2' })
    .catch(rethrow);
}

function rethrow(thrown: unknown): never {
  throw toChainError(thrown);
}
