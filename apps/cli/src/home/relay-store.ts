import { join } from 'node:path';
import { openStore, type Store } from '@latent/kit';
import { type LeaseId, uintSchema } from '@latent/protocol';
import { type RelayJournal, type RelayLease, type RelayNeed, relayLeaseSchema } from '@latent/sdk';
import { z } from 'zod';
import type { LatentHome } from './latent-home.ts';

const migration = `
  CREATE TABLE budgets (
    cluster_lease TEXT PRIMARY KEY,
    budget TEXT NOT NULL,
    price_cap TEXT NOT NULL
  ) STRICT;
  CREATE TABLE leases (
    lease_id TEXT PRIMARY KEY,
    cluster_lease TEXT NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE TABLE counts (
    cluster_lease TEXT NOT NULL,
    book TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (cluster_lease, book)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE needs (
    cluster_lease TEXT NOT NULL,
    book TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('low', 'cut')),
    PRIMARY KEY (cluster_lease, book, kind)
  ) STRICT, WITHOUT ROWID;
`;

/** Books that are counted for one cluster; its machines' hints name them. */
const MAX_BOOKS = 64;

const budgetSchema = z.object({ budget: uintSchema(96), priceCap: uintSchema(96) });
const recordSchema = z.object({ record: z.string() });
const bytesSchema = z.object({ bytes: z.int() });
const needSchema = z.object({ book: z.string(), kind: z.enum(['low', 'cut']) });
const countSchema = z.object({ count: z.int() });

/** What relaying may cost and has cost for one cluster, as all processes of its renter keep it together. */
export interface ClusterRelay extends Omit<RelayJournal, 'tell'> {
  /** Bytes that this process has counted. */
  count(book: string, bytes: number): void;
  /** Notes for the meter that a book is low on what is free, or carries no more. */
  note(need: RelayNeed): void;
}

/** What a renter pays for relaying, in one SQLite file beside that of the clusters. */
export interface RelayStore {
  /** Of the cluster with this lease. */
  of(clusterLease: LeaseId): ClusterRelay;
  /** Allows relaying to cost so much, in base units. */
  allow(clusterLease: LeaseId, budget: bigint, priceCap: bigint): void;
  close(): void;
}

export function openRelayStore(home: Pick<LatentHome, 'root'>): RelayStore {
  const store = openStore({ path: join(home.root, 'relays.sqlite'), migrations: [migration] });
  return {
    of: (clusterLease) => clusterRelay(store, clusterLease),
    allow: (clusterLease, budget, priceCap) => {
      store.run('INSERT OR REPLACE INTO budgets (cluster_lease, budget, price_cap) VALUES (?, ?, ?)', [
        clusterLease,
        budget.toString(),
        priceCap.toString(),
      ]);
    },
    close: () => store.close(),
  };
}

function clusterRelay(store: Store, clusterLease: LeaseId): ClusterRelay {
  const allowed = () =>
    store.get(
      'SELECT budget, price_cap AS priceCap FROM budgets WHERE cluster_lease = ?',
      [clusterLease],
      budgetSchema,
    );
  return {
    budget: () => allowed()?.budget ?? 0n,
    priceCap: () => allowed()?.priceCap ?? 0n,
    leases: () =>
      store
        .all('SELECT record FROM leases WHERE cluster_lease = ? ORDER BY rowid', [clusterLease], recordSchema)
        .map(({ record }) => relayLeaseSchema.parse(JSON.parse(record))),
    save: (lease) => {
      store.run(
        `INSERT INTO leases (lease_id, cluster_lease, record) VALUES (?, ?, ?)
         ON CONFLICT (lease_id) DO UPDATE SET record = excluded.record`,
        [lease.leaseId, clusterLease, formatLease(lease)],
      );
    },
    takeNeeds: () => {
      const needs = store.all('SELECT book, kind FROM needs WHERE cluster_lease = ?', [clusterLease], needSchema);
      if (needs.length > 0) store.run('DELETE FROM needs WHERE cluster_lease = ?', [clusterLease]);
      return needs;
    },
    note: ({ book, kind }) => {
      store.run('INSERT OR IGNORE INTO needs (cluster_lease, book, kind) VALUES (?, ?, ?)', [clusterLease, book, kind]);
    },
    counted: (book) =>
      store.get('SELECT bytes FROM counts WHERE cluster_lease = ? AND book = ?', [clusterLease, book], bytesSchema)
        ?.bytes ?? 0,
    count: (book, bytes) => {
      const changed = store.run('UPDATE counts SET bytes = bytes + ? WHERE cluster_lease = ? AND book = ?', [
        bytes,
        clusterLease,
        book,
      ]);
      if (changed > 0) return;
      const known = store.get(
        'SELECT count(*) AS count FROM counts WHERE cluster_lease = ?',
        [clusterLease],
        countSchema,
      );
      if ((known?.count ?? 0) >= MAX_BOOKS) return;
      store.run(
        `INSERT INTO counts (cluster_lease, book, bytes) VALUES (?, ?, ?)
         ON CONFLICT (cluster_lease, book) DO UPDATE SET bytes = bytes + excluded.bytes`,
        [clusterLease, book, bytes],
      );
    },
  };
}

function formatLease(lease: RelayLease): string {
  return JSON.stringify(lease, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}
