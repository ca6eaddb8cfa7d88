import {
  type ChangedLease,
  changedLeaseSchema,
  type LeaseId,
  type LeaseTerms,
  leaseEscrowAbi,
  leaseIdSchema,
  leaseTermsSchema,
} from '@latent/protocol';
import type { Hex } from 'viem';
import { toChainError } from '../chain/chain-error.ts';
import type { ChainClient } from '../chain/connect-chain.ts';

export interface LeaseEvent {
  readonly kind: 'opened' | 'paid' | 'changed' | 'stopping' | 'closed';
  readonly transaction: Hex;
  readonly block: bigint;
}

/** All that the chain's log says of one lease. */
export interface LeaseHistory {
  readonly leaseId: LeaseId;
  /** Undefined if the lease was never opened. */
  readonly terms: LeaseTerms | undefined;
  /** All members and the roster, if the lease was changed while it ran. */
  readonly changed: ChangedLease | undefined;
  /** Cumulative device-seconds paid per member at the last payment; empty if nothing was paid yet. */
  readonly paidUnits: readonly bigint[];
  readonly closed: { readonly charged: bigint; readonly refund: bigint } | undefined;
  readonly events: readonly LeaseEvent[];
}

/** Reads a lease's events from the block of the deployment on. @throws LatentError CHAIN_UNREACHABLE */
export async function leaseHistory(client: ChainClient, leaseId: LeaseId): Promise<LeaseHistory> {
  const range = {
    abi: leaseEscrowAbi,
    address: client.deployment.escrow,
    args: { leaseId },
    fromBlock: BigInt(client.deployment.deployedAtBlock),
    toBlock: 'latest',
    strict: true,
  } as const;
  try {
    const [opened, paid, changes, stopping, closed] = await Promise.all([
      client.public.getContractEvents({ ...range, eventName: 'Opened' }),
      client.public.getContractEvents({ ...range, eventName: 'Paid' }),
      client.public.getContractEvents({ ...range, eventName: 'Changed' }),
      client.public.getContractEvents({ ...range, eventName: 'Stopping' }),
      client.public.getContractEvents({ ...range, eventName: 'Closed' }),
    ]);
    const entry = (kind: LeaseEvent['kind']) => (log: { transactionHash: Hex; blockNumber: bigint }) => ({
      kind,
      transaction: log.transactionHash,
      block: log.blockNumber,
    });
    const end = closed.at(-1)?.args;
    const terms = opened[0] === undefined ? undefined : leaseTermsSchema.parse(opened[0].args);
    const added = changes.flatMap(({ args }) => args.added);
    const roster = changes.at(-1)?.args.roster;
    return {
      leaseId: leaseIdSchema.parse(leaseId),
      terms,
      changed:
        roster === undefined
          ? undefined
          : changedLeaseSchema.parse({ members: [...(terms?.members ?? []), ...added], roster }),
      paidUnits: paid.at(-1)?.args.units ?? [],
      closed: end === undefined ? undefined : { charged: end.charged, refund: end.refund },
      events: [
        ...opened.map(entry('opened')),
        ...paid.map(entry('paid')),
        ...changes.map(entry('changed')),
        ...stopping.map(entry('stopping')),
        ...closed.map(entry('closed')),
      ].sort((a, b) => Number(a.block - b.block)),
    };
  } catch (thrown) {
    throw toChainError(thrown);
  }
}
