import { type LeaseId, type LeaseTerms, leaseEscrowAbi, leaseIdSchema, leaseTermsSchema } from '@latent/protocol';
import { toChainError } from '../chain/chain-error.ts';
import type { ChainClient } from '../chain/connect-chain.ts';

export interface OpenedLeases {
  readonly leases: readonly { readonly leaseId: LeaseId; readonly terms: LeaseTerms }[];
  /** The last block that was looked at; go on after it. */
  readonly block: bigint;
}

/**
 * Every lease that was opened from block `fromBlock` on, whoever is in it, in order.
 * @throws LatentError CHAIN_UNREACHABLE
 */
export async function openedLeases(client: ChainClient, fromBlock: bigint): Promise<OpenedLeases> {
  try {
    const block = await client.public.getBlockNumber();
    if (fromBlock > block) return { leases: [], block };
    const events = await client.public.getContractEvents({
      abi: leaseEscrowAbi,
      address: client.deployment.escrow,
      eventName: 'Opened',
      fromBlock,
      toBlock: block,
      strict: true,
    });
    const leases = events.map(({ args }) => ({
      leaseId: leaseIdSchema.parse(args.leaseId),
      terms: leaseTermsSchema.parse(args),
    }));
    return { leases, block };
  } catch (thrown) {
    throw toChainError(thrown);
  }
}
