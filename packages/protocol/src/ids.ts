import { type Address, getAddress, type Hex, isAddress } from 'viem';
import { z } from 'zod';

/** Digest of a signed ask. */
export type AskId = Hex & z.$brand<'AskId'>;
/** EIP-712 digest of an order with its members; the id of the lease it opens. */
export type LeaseId = Hex & z.$brand<'LeaseId'>;
/** Ed25519 public key (32 bytes, lower-case hex) that a transport stream is pinned to. */
export type PeerKey = Hex & z.$brand<'PeerKey'>;

const isPrefixed = (text: string): text is Hex => text.startsWith('0x');

/** 32 bytes as `0x` and 64 lower-case hex digits. */
export const hex32Schema = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/, 'not 32 bytes of lower-case hex')
  .refine(isPrefixed);
export const askIdSchema = hex32Schema.brand<'AskId'>();
export const leaseIdSchema = hex32Schema.brand<'LeaseId'>();
export const peerKeySchema = hex32Schema.brand<'PeerKey'>();

/** An Ethereum address, in any case; comes out checksummed. */
export const addressSchema = z
  .string()
  .max(42)
  .refine((text): text is Address => isAddress(text, { strict: false }), 'not an address')
  .transform((text): Address => getAddress(text));

/** A 65-byte ECDSA signature as hex. */
export const signatureSchema = z
  .string()
  .regex(/^0x[0-9a-fA-F]{130}$/, 'not a 65-byte signature')
  .refine(isPrefixed);

/** An unsigned integer that travels as a decimal string. `bits` bounds it. */
export function uintSchema(bits: number): z.ZodType<bigint, string | bigint> {
  const limit = 2n ** BigInt(bits);
  return z
    .union([
      z
        .string()
        .regex(/^\d{1,78}$/, 'not an unsigned integer')
        .transform((text) => BigInt(text)),
      z.bigint(),
    ])
    .refine((value) => value >= 0n && value < limit, `does not fit ${bits} bits`);
}
