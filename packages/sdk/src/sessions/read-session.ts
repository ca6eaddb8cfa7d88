import { leaseEscrowAbi } from '@latent/protocol';
import type { Address } from 'viem';
import { toChainError } from '../chain/chain-error.ts';
import type { ChainClient } from '../chain/connect-chain.ts';

/** What a renter allows a key, and what the key has used of it. */
export interface SessionOnChain {
  /** Base units that all its leases may ever hold or have cost, refunds taken off. */
  readonly spendLimit: bigint;
  /** Base units held in open leases or paid out, over all grants of this key. */
  readonly spent: bigint;
  /** Unix seconds; 0: never granted, or revoked. */
  readonly validUntil: number;
  /** Highest rate of an ask it may take. */
  readonly maxRate: bigint;
  /** Most devices of one lease. */
  readonly maxDevices: number;
}

/** @throws LatentError CHAIN_UNREACHABLE */
export async function readSession(client: ChainClient, renter: Address, key: Address): Promise<SessionOnChain> {
  try {
    return await client.public.readContract({
      address: client.deployment.escrow,
      abi: leaseEscrowAbi,
      functionName: 'session',
      args: [renter, key],
    });
  } catch (thrown) {
    throw toChainError(thrown);
  }
}
