import type { Address, Hex } from 'viem';
import type { LeaseId } from '../../ids.ts';
import type { Change } from '../../messages/change.ts';
import type { EscrowDomain } from '../../messages/domain.ts';
import type { LeaseTerms, Member } from '../../messages/order.ts';
import type { Roster } from '../../messages/roster.ts';
import type { SignedVoucher } from '../../messages/voucher.ts';

/** Where an event stands on the chain. */
export interface Place {
  readonly block: bigint;
  /** Unix seconds of the block. */
  readonly time: number;
  readonly transaction: Hex;
  readonly logIndex: number;
}

/** What the escrow's log says of one lease, event by event. Amounts in base units, units in device-seconds, times in unix seconds. */
export type LeaseLogEntry =
  | { readonly kind: 'opened'; readonly place: Place; readonly terms: LeaseTerms }
  | { readonly kind: 'paid'; readonly place: Place; readonly units: readonly bigint[]; readonly charged: bigint }
  | { readonly kind: 'changed'; readonly place: Place; readonly roster: Roster; readonly added: readonly Member[] }
  | { readonly kind: 'stopping'; readonly place: Place; readonly stopAt: number }
  | { readonly kind: 'closed'; readonly place: Place; readonly charged: bigint; readonly refund: bigint };

/** What a transaction presented to the escrow for this lease, from its input. */
export type LeaseCall =
  | { readonly verb: 'open'; readonly from: 'renter' | 'balance' }
  | { readonly verb: 'checkpoint' | 'finalize'; readonly voucher: SignedVoucher | undefined }
  | { readonly verb: 'close'; readonly voucher: SignedVoucher | undefined; readonly claims: readonly SignedClaim[] }
  | {
      readonly verb: 'leave';
      readonly voucher: SignedVoucher | undefined;
      readonly member: number;
      readonly claim: SignedClaim;
    }
  | { readonly verb: 'change'; readonly from: 'renter' | 'balance'; readonly change: Change }
  | { readonly verb: 'stop' };

/** So many device-seconds, signed by a member's agent. */
export interface SignedClaim {
  readonly units: bigint;
  readonly signature: Hex;
}

/** A movement of the stablecoin, or of a balance inside the escrow (`Deposited`), in one of the lease's transactions. */
export interface Movement {
  readonly kind: 'transfer' | 'credit';
  /** Of a credit: the escrow. */
  readonly from: Address;
  readonly to: Address;
  readonly amount: bigint;
}

/** One transaction that left an event of the lease. */
export interface LeaseTransaction {
  readonly hash: Hex;
  readonly place: Place;
  readonly gasUsed: bigint;
  /** What its sender paid per gas, tip included. */
  readonly weiPerGas: bigint;
  /** Undefined where it did not call the escrow itself, so that what it presented cannot be read. */
  readonly calls: readonly LeaseCall[] | undefined;
  readonly movements: readonly Movement[];
}

/** The slot of a lease as the contract stores it. */
export interface StoredLease {
  readonly state: 'none' | 'active' | 'closed';
  readonly changed: boolean;
  readonly openedAt: number;
  readonly stopAt: number;
  readonly checkpointedAt: number;
  readonly feeBps: number;
  readonly charged: bigint;
}

/** All that one endpoint, or a quorum of them, says of one lease. */
export interface LeaseEvidence {
  readonly domain: EscrowDomain;
  readonly leaseId: LeaseId;
  /** In the chain's order. */
  readonly log: readonly LeaseLogEntry[];
  readonly transactions: readonly LeaseTransaction[];
  /** The slot as of now. */
  readonly stored: StoredLease;
  /** The slot at the end of a block with events of the lease; undefined where the endpoint has no such state any more. */
  readonly storedAt: ReadonlyMap<bigint, StoredLease | undefined>;
}
