import { concat, type Hex, hashStruct, hashTypedData, keccak256, type LocalAccount } from 'viem';
import { z } from 'zod';
import { addressSchema, askIdSchema, hex32Schema, type LeaseId, leaseIdSchema, uintSchema } from '../ids.ts';
import { chargeUp } from '../money/rate.ts';
import { type EscrowDomain, escrowDomain } from './domain.ts';
import { messageTypes } from './typed-data.ts';

/** Most members a lease can have; as `LeaseEscrow.MAX_MEMBERS`. */
export const MAX_MEMBERS = 128;

/** One operator's part in a lease. */
export const memberSchema = z.object({
  ask: askIdSchema,
  operator: addressSchema,
  agentKey: addressSchema,
  devices: z.int().min(1).max(0xffffffff),
  rate: uintSchema(64),
});
export type Member = z.infer<typeof memberSchema>;

/** What the renter commits to. Field meanings and units: `ILeaseEscrow.Order`. */
export const orderSchema = z.object({
  renter: addressSchema,
  /** Key that opens the lease from the renter's balance in the escrow, where the refund goes; the zero address: the renter itself. */
  session: addressSchema,
  meterKey: addressSchema,
  deposit: uintSchema(96),
  maxSeconds: z
    .int()
    .min(1)
    .max(2 ** 40 - 1),
  closeWindow: z.int().min(0).max(0xffffffff),
  prepay: z.int().min(0).max(0xffff),
  maxFeeBps: z.int().min(0).max(0xffff),
  openBy: z
    .int()
    .min(0)
    .max(2 ** 40 - 1),
  workload: hex32Schema,
  salt: uintSchema(256),
});
export type Order = z.infer<typeof orderSchema>;

/** A lease's terms as they are presented to agents and to the contract. */
export const leaseTermsSchema = z.object({
  order: orderSchema,
  members: z.array(memberSchema).min(1).max(MAX_MEMBERS),
});
export type LeaseTerms = z.infer<typeof leaseTermsSchema>;

/** EIP-712 digest of an order with its members: the id of the lease it opens. */
export function hashOrder(domain: EscrowDomain, terms: LeaseTerms): LeaseId {
  return leaseIdSchema.parse(hashTypedData(orderTypedData(domain, terms)));
}

/** A renter's, or a session key's, consent that anybody opens this lease from the renter's balance in the escrow. */
export async function signOrder(account: LocalAccount, domain: EscrowDomain, terms: LeaseTerms): Promise<Hex> {
  return account.signTypedData(orderTypedData(domain, terms));
}

function orderTypedData(domain: EscrowDomain, { order, members }: LeaseTerms) {
  return {
    domain: escrowDomain(domain),
    primaryType: 'Order' as const,
    types: { Order: messageTypes.Order, Member: messageTypes.Member },
    message: { ...order, members },
  };
}

/** EIP-712 hash of a list of members, as orders and changes contain it. */
export function hashMembers(members: readonly Member[]): Hex {
  const types = { Member: messageTypes.Member };
  return keccak256(concat(members.map((data) => hashStruct({ types, primaryType: 'Member', data }))));
}

/** The least deposit the contract accepts, in base units: what all members can be paid in `maxSeconds`. */
export function requiredDeposit(members: readonly Pick<Member, 'devices' | 'rate'>[], maxSeconds: number): bigint {
  return members.reduce((sum, member) => sum + chargeUp(BigInt(member.devices) * BigInt(maxSeconds), member.rate), 0n);
}
