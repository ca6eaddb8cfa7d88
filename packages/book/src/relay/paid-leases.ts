import type { Store } from '@latent/kit';
import {
  type LeaseId,
  type LeaseTerms,
  leaseIdSchema,
  leaseTermsSchema,
  type PeerKey,
  payableRelayBytes,
  peerKeySchema,
  RELAY_UNIT_BYTES,
  relayUnitsDown,
  type SignedClose,
  type SignedVoucher,
  signedCloseSchema,
  signedVoucherSchema,
} from '@latent/protocol';
import { z } from 'zod';
import { toJson } from '../to-json.ts';

/** Whole units that a lease may be ahead of what is written down: what `kill -9` can make a book forget of it. */
export const MAX_UNSAVED_UNITS = 8;

export const relayLeasesMigration = `
  CREATE TABLE relay_leases (
    lease_id TEXT PRIMARY KEY,
    peer_key TEXT NOT NULL,
    terms TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    used_units INTEGER NOT NULL,
    voucher TEXT NOT NULL,
    claim TEXT
  ) STRICT;
`;

/** A lease that pays for what is relayed for a peer. Times in unix seconds. */
export interface PaidLease {
  readonly leaseId: LeaseId;
  /** Whose channels it pays for. */
  peerKey: PeerKey;
  /** With this book as its only member. */
  readonly terms: LeaseTerms;
  readonly openedAt: number;
  /** Relayed for it: since it was opened, but for what a killed book forgot. */
  usedBytes: number;
  /** Of these, whole units that are written down. */
  savedUnits: number;
  voucher: SignedVoucher;
  /** What the book claims at the end. From then on nothing is relayed for it. */
  claim: SignedClose | null;
  /** As the chain says; 0 until it is stopped. */
  stopAt: number;
  /** It is being claimed. */
  isEnding: boolean;
}

/**
 * What can be done for a lease: `relay` it, `wait` for a voucher or for the clock, or nothing, as it is `over`.
 */
export type Verdict = 'relay' | 'wait' | 'over';

const rowSchema = z.object({
  leaseId: leaseIdSchema,
  peerKey: peerKeySchema,
  terms: z.string(),
  openedAt: z.int(),
  usedUnits: z.int(),
  voucher: z.string(),
  claim: z.string().nullable(),
});

/** Bytes that may still be relayed for a lease now. Nothing of it would go unpaid. */
export function roomBytes(lease: PaidLease, nowSeconds: number): number {
  return payableRelayBytes(lease.voucher.units[0] ?? 0n, clockOf(lease), nowSeconds) - lease.usedBytes;
}

export function judge(lease: PaidLease, bytes: number, nowSeconds: number): Verdict {
  const { order, members } = lease.terms;
  if (lease.claim !== null || lease.isEnding || nowSeconds >= lease.openedAt + order.maxSeconds) return 'over';
  if (roomBytes(lease, nowSeconds) >= bytes) return 'relay';
  const mostBytes = (members[0]?.devices ?? 0) * order.maxSeconds * RELAY_UNIT_BYTES;
  return lease.stopAt !== 0 || lease.usedBytes + bytes > mostBytes ? 'over' : 'wait';
}

function clockOf({ terms, openedAt, stopAt, voucher }: PaidLease) {
  const { maxSeconds, prepay } = terms.order;
  const accrueFrom = voucher.accrueFrom[0] ?? 0;
  return { devices: terms.members[0]?.devices ?? 0, openedAt, stopAt, maxSeconds, prepay, accrueFrom };
}

/** The leases that pay for relaying and are not settled: on disk before in memory. Methods that write throw StoreError. */
export interface PaidLeases {
  readonly size: number;
  find(leaseId: LeaseId): PaidLease | undefined;
  /** Of a peer, oldest first; those that are over, too. */
  ofPeer(key: PeerKey): readonly PaidLease[];
  all(): readonly PaidLease[];
  /** Writes down a lease, or what has become of it. */
  keep(lease: PaidLease): void;
  /** Counts bytes that are to be relayed. Written down when they make up `MAX_UNSAVED_UNITS`; false, and not counted, if that fails. */
  use(lease: PaidLease, bytes: number): boolean;
  /** Writes down what was used. */
  save(): void;
  /** The money is settled. */
  forget(lease: PaidLease): void;
}

export function openPaidLeases(store: Store): PaidLeases {
  const byId = new Map<LeaseId, PaidLease>();
  const byPeer = new Map<PeerKey, PaidLease[]>();
  const unsaved = new Set<PaidLease>();

  const unlink = (lease: PaidLease) => {
    for (const [key, leases] of byPeer) {
      const left = leases.filter((one) => one !== lease);
      if (left.length === leases.length) continue;
      if (left.length === 0) byPeer.delete(key);
      else byPeer.set(key, left);
    }
  };
  const link = (lease: PaidLease) => {
    byId.set(lease.leaseId, lease);
    byPeer.set(lease.peerKey, [...(byPeer.get(lease.peerKey) ?? []), lease]);
  };
  const saveOne = (lease: PaidLease) => {
    const units = Number(relayUnitsDown(lease.usedBytes));
    store.run('UPDATE relay_leases SET used_units = ? WHERE lease_id = ?', [units, lease.leaseId]);
    lease.savedUnits = units;
    unsaved.delete(lease);
  };

  const columns = 'lease_id AS leaseId, peer_key AS peerKey, terms, opened_at AS openedAt, used_units AS usedUnits';
  for (const row of store.all(`SELECT ${columns}, voucher, claim FROM relay_leases ORDER BY rowid`, [], rowSchema)) {
    const { leaseId, peerKey, openedAt, usedUnits } = row;
    link({
      ...{ leaseId, peerKey, openedAt, usedBytes: usedUnits * RELAY_UNIT_BYTES, savedUnits: usedUnits },
      ...{ stopAt: 0, isEnding: false },
      terms: leaseTermsSchema.parse(JSON.parse(row.terms)),
      voucher: signedVoucherSchema.parse(JSON.parse(row.voucher)),
      claim: row.claim === null ? null : signedCloseSchema.parse(JSON.parse(row.claim)),
    });
  }

  return {
    get size() {
      return byId.size;
    },
    find: (leaseId) => byId.get(leaseId),
    ofPeer: (key) => byPeer.get(key) ?? [],
    all: () => [...byId.values()],
    keep: (lease) => {
      const { leaseId, peerKey, terms, openedAt, usedBytes, voucher, claim } = lease;
      const units = Number(relayUnitsDown(usedBytes));
      store.run(
        `INSERT INTO relay_leases (lease_id, peer_key, terms, opened_at, used_units, voucher, claim)
         VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (lease_id) DO UPDATE SET peer_key = excluded.peer_key, used_units = excluded.used_units,
           voucher = excluded.voucher, claim = excluded.claim`,
        [leaseId, peerKey, toJson(terms), openedAt, units, toJson(voucher), claim && toJson(claim)],
      );
      lease.savedUnits = units;
      unsaved.delete(lease);
      if (byId.get(leaseId) !== lease || !(byPeer.get(peerKey)?.includes(lease) ?? false)) {
        unlink(lease);
        link(lease);
      }
    },
    use: (lease, bytes) => {
      const before = lease.usedBytes;
      lease.usedBytes += bytes;
      unsaved.add(lease);
      if (Number(relayUnitsDown(lease.usedBytes)) - lease.savedUnits < MAX_UNSAVED_UNITS) return true;
      try {
        saveOne(lease);
        return true;
      } catch {
        // What cannot be written down is not relayed; `save` says why.
        lease.usedBytes = before;
        return false;
      }
    },
    save: () => {
      for (const lease of unsaved) {
        if (Number(relayUnitsDown(lease.usedBytes)) > lease.savedUnits) saveOne(lease);
        else unsaved.delete(lease);
      }
    },
    forget: (lease) => {
      store.run('DELETE FROM relay_leases WHERE lease_id = ?', [lease.leaseId]);
      byId.delete(lease.leaseId);
      unsaved.delete(lease);
      unlink(lease);
    },
  };
}
