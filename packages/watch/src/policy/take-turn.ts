import type { LeaseId } from '@latent/protocol';
import { type Address, concat, hexToNumber, keccak256, slice } from 'viem';

/**
 * Where in a queue an account stands for a lease: from 0 to just below 1. Everybody who watches a lease has another place in
 * another order for each lease, without having heard of the others; who comes later finds the work done.
 */
export function turnOf(leaseId: LeaseId, account: Address): number {
  return hexToNumber(slice(keccak256(concat([leaseId, account])), 0, 4)) / 2 ** 32;
}
