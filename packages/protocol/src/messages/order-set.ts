import { concat, type Hex, hashTypedData, keccak256, type LocalAccount } from 'viem';
import { z } from 'zod';
import { addressSchema, hex32Schema, type LeaseId, uintSchema } from '../ids.ts';
import { type EscrowDomain, escrowDomain } from './domain.ts';
import { messageTypes } from './typed-data.ts';

/** Many orders, one signature. Field meanings: `ILeaseTypes.OrderSet`. */
export const orderSetSchema = z.object({
  renter: addressSchema,
  /** Merkle root of the leases' ids. */
  root: hex32Schema,
  count: z.int().min(1).max(0xffffffff),
  totalDeposit: uintSchema(128),
  openBy: z
    .int()
    .min(0)
    .max(2 ** 40 - 1),
  salt: uintSchema(256),
});
export type OrderSet = z.infer<typeof orderSetSchema>;

/** EIP-712 digest of a set: what is signed, or the nonce of the authorization that funds it. */
export function hashOrderSet(domain: EscrowDomain, set: OrderSet): Hex {
  return hashTypedData(setTypedData(domain, set));
}

export async function signOrderSet(account: LocalAccount, domain: EscrowDomain, set: OrderSet): Promise<Hex> {
  return account.signTypedData(setTypedData(domain, set));
}

/**
 * The Merkle tree over leases' ids as OpenZeppelin's `MerkleProof` reads it: two neighbours are hashed in order of size,
 * and one without a neighbour goes up as it is.
 * @param leaseIds at least one
 * @returns the root, and the proof of each id, in the order of the ids
 */
export function orderTree(leaseIds: readonly LeaseId[]): { readonly root: Hex; readonly proofs: readonly Hex[][] } {
  const proofs: Hex[][] = leaseIds.map(() => []);
  let level: { readonly hash: Hex; readonly leaves: readonly number[] }[] = leaseIds.map((hash, leaf) => ({
    hash,
    leaves: [leaf],
  }));
  while (level.length > 1) {
    const above: typeof level = [];
    for (let i = 0; i < level.length; i += 2) {
      const [left, right] = [level[i], level[i + 1]];
      if (left === undefined) break;
      if (right === undefined) {
        above.push(left);
        continue;
      }
      for (const leaf of left.leaves) proofs[leaf]?.push(right.hash);
      for (const leaf of right.leaves) proofs[leaf]?.push(left.hash);
      above.push({ hash: hashPair(left.hash, right.hash), leaves: [...left.leaves, ...right.leaves] });
    }
    level = above;
  }
  const [top] = level;
  if (top === undefined) throw new RangeError('a set has at least one order');
  return { root: top.hash, proofs };
}

function hashPair(a: Hex, b: Hex): Hex {
  return keccak256(BigInt(a) < BigInt(b) ? concat([a, b]) : concat([b, a]));
}

function setTypedData(domain: EscrowDomain, set: OrderSet) {
  return {
    domain: escrowDomain(domain),
    primaryType: 'OrderSet' as const,
    types: { OrderSet: messageTypes.OrderSet },
    message: set,
  };
}
