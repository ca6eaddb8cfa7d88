import type { ChangedLease, LeaseTerms, SignedVoucher } from '@latent/protocol';
import { type Hex, parseSignature, signatureToCompactSignature } from 'viem';

/** What a row is made of. */
export interface SettlementParts {
  /** As the lease was opened. */
  readonly terms: LeaseTerms;
  /** As it is, if it was changed. */
  readonly changed: ChangedLease | undefined;
  /** Units that the last payment recorded; empty if there was none. See `leaseHistory`. */
  readonly paidUnits: readonly bigint[];
  readonly voucher: SignedVoucher | undefined;
}

/** A row of `LeaseEscrow.checkpoint` and `finalize`, and the larger part of a row of `close` and `leave`. */
export function settlementRow({ terms, changed, paidUnits, voucher }: SettlementParts) {
  return {
    order: terms.order,
    members: changed?.members ?? terms.members,
    paidUnits,
    roster: changed === undefined ? [] : [changed.roster],
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
