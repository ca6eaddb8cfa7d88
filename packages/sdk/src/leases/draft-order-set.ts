import { hashOrder, LatentError, type LeaseTerms, type OrderSet, orderTree } from '@latent/protocol';
import type { Hex } from 'viem';
import type { ChainClient } from '../chain/connect-chain.ts';

/** Many orders that one signature opens, each with what shows that it belongs to them. */
export interface DraftedOrderSet {
  readonly set: OrderSet;
  readonly orders: readonly { readonly terms: LeaseTerms; readonly proof: readonly Hex[] }[];
}

export interface DraftOrderSetParameters {
  /** Of one renter, without sessions; at least one. */
  readonly orders: readonly LeaseTerms[];
  /** Most leases that may be opened of them; all unless given. */
  readonly count?: number | undefined;
  /** Most base units that they may take together; the sum of their deposits unless given. */
  readonly totalDeposit?: bigint | undefined;
  /** Unix seconds. */
  readonly openBy: number;
  readonly salt: bigint;
}

/**
 * Makes a set of orders. Whoever may open some of them, but not all, sets `count` or `totalDeposit` lower. Sign it with
 * `signOrderSet`, or pay for it with `fundOrderSet`.
 * @throws LatentError CONFIG_INVALID if they are not of one renter, or name a session
 */
export function draftOrderSet(client: ChainClient, parameters: DraftOrderSetParameters): DraftedOrderSet {
  const { orders, openBy, salt } = parameters;
  const [renter, ...others] = new Set(orders.map(({ order }) => order.renter));
  const isPlain = orders.every(({ order }) => BigInt(order.session) === 0n);
  if (renter === undefined || others.length > 0 || !isPlain) {
    throw new LatentError('CONFIG_INVALID', 'A set is made of orders of one renter, without session keys.');
  }
  const { root, proofs } = orderTree(orders.map((terms) => hashOrder(client.domain, terms)));
  const total = orders.reduce((sum, { order }) => sum + order.deposit, 0n);
  return {
    set: {
      ...{ renter, root, openBy, salt },
      count: parameters.count ?? orders.length,
      totalDeposit: parameters.totalDeposit ?? total,
    },
    orders: orders.map((terms, index) => ({ terms, proof: proofs[index] ?? [] })),
  };
}
