import { LatentError, type LeaseId, leaseEscrowAbi } from '@latent/protocol';
import { toChainError } from '../chain/chain-error.ts';
import type { ChainClient } from '../chain/connect-chain.ts';

/** A lease as the contract stores it. Times in unix seconds. */
export interface LeaseOnChain {
  readonly state: 'none' | 'active' | 'closed';
  /** Its members, length or deposit differ from what it was opened with: `readRosterHash`. */
  readonly changed: boolean;
  readonly openedAt: number;
  /** 0 until stopped. */
  readonly stopAt: number;
  readonly feeBps: number;
  /** Base units paid out so far, fee included. */
  readonly charged: bigint;
}

/** @throws LatentError CHAIN_UNREACHABLE */
export async function readLease(client: ChainClient, leaseId: LeaseId): Promise<LeaseOnChain> {
  try {
    const lease = await client.public.readContract({
      address: client.deployment.escrow,
      abi: leaseEscrowAbi,
      functionName: 'lease',
      args: [leaseId],
    });
    return { ...lease, state: stateName(lease.state) };
  } catch (thrown) {
    throw toChainError(thrown);
  }
}

function stateName(state: number): LeaseOnChain['state'] {
  switch (state) {
    case 0:
      return 'none';
    case 1:
      return 'active';
    case 2:
      return 'closed';
    default:
      throw new LatentError('CHAIN_WRONG', `The escrow reports lease state ${state}, which it cannot have.`, {
        hint: 'Is the deployment file that of this chain?',
      });
  }
}
