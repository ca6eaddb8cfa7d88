import { type Hex, hashTypedData, type LocalAccount } from 'viem';
import { z } from 'zod';
import { hex32Schema, type LeaseId, uintSchema } from '../ids.ts';
import { type EscrowDomain, escrowDomain } from './domain.ts';
import type { Member } from './order.ts';
import { messageTypes } from './typed-data.ts';

/** What a renter, or its session key, agrees to change in a running lease. Field meanings: `ILeaseTypes.Change`. */
export const changeSchema = z.object({
  /** What the contract recorded at the last change; zero if there was none. */
  before: hex32Schema,
  /** Bit i: member i is dismissed. */
  dismissed: uintSchema(256),
  maxSeconds: z
    .int()
    .min(1)
    .max(2 ** 40 - 1),
  deposit: uintSchema(96),
  changeBy: z
    .int()
    .min(0)
    .max(2 ** 40 - 1),
});
export type Change = z.infer<typeof changeSchema>;

/** EIP-712 digest of a change: what is signed, and the nonce of the authorization that pays for it. */
export function hashChange(domain: EscrowDomain, leaseId: LeaseId, change: Change, added: readonly Member[]): Hex {
  return hashTypedData(changeTypedData(domain, leaseId, change, added));
}

export async function signChange(
  account: LocalAccount,
  domain: EscrowDomain,
  leaseId: LeaseId,
  change: Change,
  added: readonly Member[],
): Promise<Hex> {
  return account.signTypedData(changeTypedData(domain, leaseId, change, added));
}

function changeTypedData(domain: EscrowDomain, leaseId: LeaseId, change: Change, added: readonly Member[]) {
  return {
    domain: escrowDomain(domain),
    primaryType: 'Change' as const,
    types: { Change: messageTypes.Change, Member: messageTypes.Member },
    message: { leaseId, ...change, added },
  };
}
