import { type Hex, hashTypedData, type LocalAccount } from 'viem';
import { z } from 'zod';
import { addressSchema, uintSchema } from '../ids.ts';
import { type EscrowDomain, escrowDomain } from './domain.ts';
import { messageTypes } from './typed-data.ts';

/** A renter's leave for a key to open leases from the renter's balance in the escrow, within limits. */
export const sessionGrantSchema = z.object({
  renter: addressSchema,
  key: addressSchema,
  /** Base units that all leases of this key may ever hold or have cost, refunds taken off. */
  spendLimit: uintSchema(96),
  /** Highest rate of an ask it may take, 1e-9 base units per device-second. */
  maxRate: uintSchema(64),
  /** Most devices of one lease. */
  maxDevices: z.int().min(0).max(0xffffffff),
  /** Unix seconds. */
  validUntil: z
    .int()
    .min(0)
    .max(2 ** 40 - 1),
  /** The renter's next, see `nonces` of the escrow. */
  nonce: uintSchema(256),
});
export type SessionGrant = z.infer<typeof sessionGrantSchema>;

/** EIP-712 digest of a grant: what is signed, or the nonce of the authorization that funds it. */
export function hashSessionGrant(domain: EscrowDomain, grant: SessionGrant): Hex {
  return hashTypedData(grantTypedData(domain, grant));
}

export async function signSessionGrant(account: LocalAccount, domain: EscrowDomain, grant: SessionGrant): Promise<Hex> {
  return account.signTypedData(grantTypedData(domain, grant));
}

function grantTypedData(domain: EscrowDomain, grant: SessionGrant) {
  return {
    domain: escrowDomain(domain),
    primaryType: 'SessionGrant' as const,
    types: { SessionGrant: messageTypes.SessionGrant },
    message: grant,
  };
}
