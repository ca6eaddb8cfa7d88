import { type Bill, computeBill, type GasPrices, LatentError, type LeaseId } from '@latent/protocol';
import type { Hex } from 'viem';
import { toChainError } from '../chain/chain-error.ts';
import type { ChainClient } from '../chain/connect-chain.ts';
import { leaseHistory } from './lease-history.ts';
import { readLease } from './read-lease.ts';

/** 0.05 gwei and $3,000: stated on every bill, and the caller's to change. */
export const defaultGasPrices: GasPrices = { weiPerGas: 50_000_000n, unitsPerEther: 3_000_000_000n };

/**
 * The bill of a lease, from the chain alone: anybody with the lease's id gets the same one.
 * @param otherTransactions further transactions to count, that leave no event of the lease (none in the usual course)
 * @throws LatentError LEASE_NOT_ACTIVE if there never was such a lease, CHAIN_UNREACHABLE
 */
export async function billLease(
  client: ChainClient,
  leaseId: LeaseId,
  prices: GasPrices = defaultGasPrices,
  otherTransactions: readonly { readonly kind: string; readonly hash: Hex }[] = [],
): Promise<Bill> {
  const [history, lease] = await Promise.all([leaseHistory(client, leaseId), readLease(client, leaseId)]);
  if (history.terms === undefined) {
    throw new LatentError(
      'LEASE_NOT_ACTIVE',
      `The escrow ${client.deployment.escrow} has never had a lease ${leaseId}.`,
      {
        hint: 'Is this the right chain and deployment?',
      },
    );
  }
  const kinds = new Map<Hex, string>(otherTransactions.map(({ hash, kind }) => [hash, kind]));
  const verbs = { opened: 'open', paid: 'checkpoint', changed: 'change', stopping: 'stop', closed: 'close' } as const;
  // A close also pays: the later event of the same transaction names it.
  for (const event of history.events) kinds.set(event.transaction, verbs[event.kind]);
  const transactions = await Promise.all(
    [...kinds].map(async ([hash, kind]) => ({ kind, hash, gasUsed: await gasOf(client, hash) })),
  );
  return computeBill({
    leaseId,
    terms: history.terms,
    feeBps: lease.feeBps,
    paidUnits: history.paidUnits,
    refund: history.closed?.refund,
    transactions,
    prices,
  });
}

async function gasOf(client: ChainClient, hash: Hex): Promise<bigint> {
  try {
    return (await client.public.getTransactionReceipt({ hash })).gasUsed;
  } catch (thrown) {
    throw toChainError(thrown);
  }
}
