import { auditLease, type Bill, billStanding, type GasPrices, LatentError, type LeaseId } from '@latent/protocol';
import type { ChainClient } from '../chain/connect-chain.ts';
import { readerOf } from './evidence/chain-reader.ts';
import { readEvidence } from './evidence/read-evidence.ts';

/** 0.05 gwei and $3,000: stated on every bill, and the caller's to change. */
export const defaultGasPrices: GasPrices = { weiPerGas: 50_000_000n, unitsPerEther: 3_000_000_000n };

/**
 * The bill of a lease, from the chain alone: anybody with the lease's id gets the same one.
 * @throws LatentError LEASE_NOT_ACTIVE if there never was such a lease, CHAIN_UNREACHABLE, MESSAGE_INVALID
 */
export async function billLease(
  client: ChainClient,
  leaseId: LeaseId,
  prices: GasPrices = defaultGasPrices,
): Promise<Bill> {
  const evidence = await readEvidence(readerOf(client), client.deployment, leaseId);
  const { standing, deposits } = await auditLease(evidence, undefined);
  if (standing === undefined) {
    throw new LatentError('CHAIN_WRONG', `The log of lease ${leaseId} does not begin with its opening.`, {
      hint: 'Is `deployedAtBlock` of the deployment later than the lease?',
    });
  }
  return billStanding(evidence, { standing, deposits }, prices);
}
