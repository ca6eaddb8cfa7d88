import { type Deployment, LatentError, type LeaseId, leaseEscrowAbi } from '@latent/protocol';
import { createPublicClient, http } from 'viem';

/** A lease as the escrow stores it, as far as it decides what a book is paid. Times in unix seconds. */
export interface LeaseSeen {
  readonly state: 'none' | 'active' | 'closed';
  /** Members, length or deposit are not those that it was opened with. */
  readonly isChanged: boolean;
  readonly openedAt: number;
  /** 0 until it is stopped. */
  readonly stopAt: number;
}

/** What a book asks of the escrow, or whatever stands for it. */
export interface LeaseReader {
  /** @throws LatentError CHAIN_UNREACHABLE, CHAIN_WRONG */
  read(leaseId: LeaseId): Promise<LeaseSeen>;
}

const REQUEST_TIMEOUT_MS = 5_000;
const STATES = ['none', 'active', 'closed'] as const;

/** The escrow on chain. Sends nothing until it is first asked. */
export function createChainLeases({ rpcUrl, escrow, chainId }: Deployment): LeaseReader {
  const client = createPublicClient({
    transport: http(rpcUrl, { batch: true, retryCount: 0, timeout: REQUEST_TIMEOUT_MS }),
  });
  let isRightChain = false;
  return {
    read: async (leaseId) => {
      try {
        isRightChain ||= (await client.getChainId()) === chainId;
        if (!isRightChain) throw new LatentError('CHAIN_WRONG', `The endpoint does not serve chain ${chainId}.`);
        const { state, changed, openedAt, stopAt } = await client.readContract({
          ...{ address: escrow, abi: leaseEscrowAbi, functionName: 'lease', args: [leaseId] },
        });
        const named = STATES[state];
        if (named === undefined) throw new LatentError('CHAIN_WRONG', `The escrow knows a state ${state}.`);
        return { state: named, isChanged: changed, openedAt, stopAt };
      } catch (thrown) {
        if (thrown instanceof LatentError) throw thrown;
        throw new LatentError('CHAIN_UNREACHABLE', 'The escrow was asked of a lease, and did not answer.', {
          cause: thrown,
        });
      }
    },
  };
}
