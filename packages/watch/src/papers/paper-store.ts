import { integerColumn, type Store } from '@latent/kit';
import {
  type LeaseId,
  leaseIdSchema,
  type SignedClose,
  type SignedVoucher,
  signedCloseSchema,
  signedVoucherSchema,
} from '@latent/protocol';
import { z } from 'zod';
import type { KeptClaim, LeasePapers } from '../policy/decide-lease.ts';
import { toJson } from '../to-json.ts';

export const papersMigration = `
  CREATE TABLE vouchers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    lease_id TEXT NOT NULL,
    voucher TEXT NOT NULL
  ) STRICT;
  CREATE INDEX vouchers_of_lease ON vouchers (lease_id, id);
  CREATE TABLE claims (
    lease_id TEXT NOT NULL,
    member INTEGER NOT NULL,
    leaves INTEGER NOT NULL,
    kept_at INTEGER NOT NULL,
    claim TEXT NOT NULL,
    PRIMARY KEY (lease_id, member)
  ) STRICT;
`;

const voucherRow = z.object({ voucher: z.string() });
const claimRow = z.object({ leaves: z.int(), kept_at: z.int(), claim: z.string() });
const leaseRow = z.object({ lease_id: leaseIdSchema });
const countRow = z.object({ count: integerColumn });

/** What was handed in for leases, in SQLite. Everything in it was checked before. */
export interface PaperStore {
  of(leaseId: LeaseId): LeasePapers;
  leases(): readonly LeaseId[];
  counts(): { readonly leases: number; readonly vouchers: number; readonly claims: number };
  /** Makes these the vouchers of a lease, in one step. */
  setVouchers(leaseId: LeaseId, vouchers: readonly SignedVoucher[]): void;
  setClaim(claim: SignedClose, kept: { readonly leaves: boolean; readonly keptAt: number }): void;
  drop(leaseId: LeaseId): void;
}

export function createPaperStore(store: Store): PaperStore {
  const claimsOf = (leaseId: LeaseId): readonly KeptClaim[] =>
    store
      .all('SELECT leaves, kept_at, claim FROM claims WHERE lease_id = ? ORDER BY member', [leaseId], claimRow)
      .map(({ leaves, kept_at, claim }) => ({
        ...signedCloseSchema.parse(JSON.parse(claim)),
        leaves: leaves === 1,
        keptAt: kept_at,
      }));
  const count = (sql: string) => Number(store.get(sql, [], countRow)?.count ?? 0n);
  return {
    of: (leaseId) => ({
      vouchers: store
        .all('SELECT voucher FROM vouchers WHERE lease_id = ? ORDER BY id', [leaseId], voucherRow)
        .map(({ voucher }) => signedVoucherSchema.parse(JSON.parse(voucher))),
      claims: claimsOf(leaseId),
    }),
    leases: () =>
      store
        .all('SELECT lease_id FROM vouchers UNION SELECT lease_id FROM claims', [], leaseRow)
        .map(({ lease_id }) => lease_id),
    counts: () => ({
      leases: count('SELECT count(*) AS count FROM (SELECT lease_id FROM vouchers UNION SELECT lease_id FROM claims)'),
      vouchers: count('SELECT count(*) AS count FROM vouchers'),
      claims: count('SELECT count(*) AS count FROM claims'),
    }),
    setVouchers: (leaseId, vouchers) =>
      store.transaction(() => {
        store.run('DELETE FROM vouchers WHERE lease_id = ?', [leaseId]);
        for (const voucher of vouchers) {
          store.run('INSERT INTO vouchers (lease_id, voucher) VALUES (?, ?)', [leaseId, toJson(voucher)]);
        }
      }),
    setClaim: ({ leaseId, member, units, signature }, { leaves, keptAt }) => {
      store.run(
        `INSERT INTO claims (lease_id, member, leaves, kept_at, claim) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (lease_id, member) DO UPDATE
         SET leaves = excluded.leaves, kept_at = excluded.kept_at, claim = excluded.claim`,
        [leaseId, member, leaves ? 1 : 0, keptAt, toJson({ leaseId, member, units, signature })],
      );
    },
    drop: (leaseId) =>
      store.transaction(() => {
        store.run('DELETE FROM vouchers WHERE lease_id = ?', [leaseId]);
        store.run('DELETE FROM claims WHERE lease_id = ?', [leaseId]);
      }),
  };
}
