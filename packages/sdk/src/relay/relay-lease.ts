import {
  chargeUp,
  hex32Schema,
  leaseIdSchema,
  leaseTermsSchema,
  signedRelayAskSchema,
  signedVoucherSchema,
  uintSchema,
} from '@latent/protocol';
import { z } from 'zod';

/**
 * A lease of a renter that pays a book for relaying. Written down before it is opened, and before each voucher leaves.
 * opening → open → closed, or open → stopped (what is not charged comes back after the window); opening → void (never opened).
 */
export const relayLeaseSchema = z.object({
  leaseId: leaseIdSchema,
  /** URL, as it stands in hints. */
  book: z.string().max(500),
  terms: leaseTermsSchema,
  offer: signedRelayAskSchema,
  meterSecret: hex32Schema,
  phase: z.enum(['opening', 'open', 'stopped', 'closed', 'void']),
  /** By the chain, unix seconds; 0 before. */
  openedAt: z.int().min(0),
  voucher: signedVoucherSchema.nullable(),
  /** As the book says. */
  usedBytes: z.int().min(0),
  /** What this renter had counted of the book before the lease was opened. */
  countedBefore: z.int().min(0),
  /** Base units; null until it is closed. */
  charged: uintSchema(96).nullable(),
});
export type RelayLease = z.infer<typeof relayLeaseSchema>;

/** That another process of the renter found a book low on what is free, or was cut off by it. */
export interface RelayNeed {
  readonly book: string;
  readonly kind: 'low' | 'cut';
}

/** Where the relay leases of one cluster are kept. Several processes use it at once: every method is atomic. */
export interface RelayJournal {
  /** The most that relaying may cost for this cluster, in base units; 0 where it was not allowed. */
  budget(): bigint;
  /** The most per GiB, in base units. */
  priceCap(): bigint;
  /** Oldest first. */
  leases(): readonly RelayLease[];
  save(lease: RelayLease): void;
  /** Bytes that all processes of this renter have counted of a book. */
  counted(book: string): number;
  /** What other processes have noted since the last call. */
  takeNeeds(): readonly RelayNeed[];
  tell(event: { readonly kind: 'phase' | 'warning' | 'transaction'; readonly text: string }): void;
}

/** What a lease has cost, or was promised so far, in base units, rounded up. */
export function promisedUp({ charged, phase, terms, voucher }: RelayLease): bigint {
  if (phase === 'void') return 0n;
  return charged ?? chargeUp(voucher?.units[0] ?? 0n, terms.members[0]?.rate ?? 0n);
}

/** What is left of the budget, in base units. */
export function relayBudgetLeft(journal: Pick<RelayJournal, 'budget' | 'leases'>): bigint {
  const left = journal.leases().reduce((rest, lease) => rest - promisedUp(lease), journal.budget());
  return left > 0n ? left : 0n;
}
