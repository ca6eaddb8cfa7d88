import type { Hex } from 'viem';
import { z } from 'zod';
import { LatentError } from '../errors/latent-error.ts';
import { type LeaseId, leaseIdSchema, signatureSchema, uintSchema } from '../ids.ts';
import type { DigestSigner } from '../signing/digest-signer.ts';
import { hashVoucherWords } from './digest.ts';
import type { EscrowDomain } from './domain.ts';
import { MAX_MEMBERS, type Order } from './order.ts';
import { recoverSigner } from './recover-signer.ts';

/** Cumulative device-seconds per member, in the order of the lease's members. */
export const voucherSchema = z.object({
  leaseId: leaseIdSchema,
  units: z.array(uintSchema(96)).min(1).max(MAX_MEMBERS),
  /** Unix seconds; a member's clock starts at max(openedAt, accrueFrom). */
  accrueFrom: z
    .array(
      z
        .int()
        .min(0)
        .max(2 ** 40 - 1),
    )
    .min(1)
    .max(MAX_MEMBERS),
});
export type Voucher = z.infer<typeof voucherSchema>;

export const signedVoucherSchema = voucherSchema.extend({ signature: signatureSchema });
export type SignedVoucher = z.infer<typeof signedVoucherSchema>;

/** EIP-712 digest of a voucher. */
export function hashVoucher(domain: EscrowDomain, voucher: Voucher): Hex {
  return hashVoucherWords(domain, voucher);
}

/** Signs a voucher with the lease's meter key. */
export async function signVoucher(
  signer: DigestSigner,
  domain: EscrowDomain,
  voucher: Voucher,
): Promise<SignedVoucher> {
  return { ...voucher, signature: await signer.sign({ hash: hashVoucher(domain, voucher) }) };
}

/** @throws LatentError VOUCHER_BAD_SIGNATURE, LEASE_MISMATCH (another lease, or not one entry per member) */
export async function checkVoucher(
  domain: EscrowDomain,
  lease: { readonly leaseId: LeaseId; readonly order: Pick<Order, 'meterKey'>; readonly memberCount: number },
  voucher: SignedVoucher,
): Promise<void> {
  if (
    voucher.leaseId !== lease.leaseId ||
    voucher.units.length !== lease.memberCount ||
    voucher.accrueFrom.length !== lease.memberCount
  ) {
    throw new LatentError(
      'LEASE_MISMATCH',
      `The voucher is for lease ${voucher.leaseId} with ${voucher.units.length} members.`,
      {
        details: { leaseId: lease.leaseId, members: lease.memberCount },
      },
    );
  }
  const signer = await recoverSigner(hashVoucher(domain, voucher), voucher.signature);
  if (signer !== lease.order.meterKey) {
    throw new LatentError(
      'VOUCHER_BAD_SIGNATURE',
      `The voucher is signed by ${signer ?? 'nobody'}, not by the meter key ${lease.order.meterKey}.`,
      {
        details: { leaseId: lease.leaseId },
      },
    );
  }
}
