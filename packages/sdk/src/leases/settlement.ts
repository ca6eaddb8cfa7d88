import type { LeaseTerms, SignedVoucher } from '@latent/protocol';
import { type Hex, parseSignature, signatureToCompactSignature } from 'viem';

/** A row of `LeaseEscrow.checkpoint` and `finalize`, and the larger part of a row of `close`. */
export function settlementRow(terms: LeaseTerms, paidUnits: readonly bigint[], voucher: SignedVoucher | undefined) {
  return {
    order: terms.order,
    members: terms.members,
    paidUnits,
    voucher:
      voucher === undefined
        ? { units: [], accrueFrom: [], r: ZERO, vs: ZERO }
        : { units: voucher.units, accrueFrom: voucher.accrueFrom, ...compactSignature(voucher.signature) },
  };
}

const ZERO: Hex = `0x${'0'.repeat(64)}`;

/** A 65-byte signature in the 64-byte form of EIP-2098. */
export function compactSignature(signature: Hex): { readonly r: Hex; readonly vs: Hex } {
  const { r, yParityAndS } = signatureToCompactSignature(parseSignature(signature));
  return { r, vs: yParityAndS };
}
