import type { Store } from '@latent/kit';
import { type LeaseId, leaseIdSchema } from '@latent/protocol';
import { z } from 'zod';
import { type MemberRecord, memberRecordSchema } from './member-record.ts';

const rowSchema = z.object({ record: z.string() });

/** Members of leases, in SQLite. A record is replaced whole; the state is a column of its own to find open ones. */
export interface MemberStore {
  find(leaseId: LeaseId): MemberRecord | undefined;
  /** Every member whose money is not settled. */
  open(): readonly MemberRecord[];
  save(record: MemberRecord): void;
}

export const memberMigration = `
  CREATE TABLE members (
    lease_id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX members_by_state ON members (state);
`;

export function createMemberStore(store: Store): MemberStore {
  const read = (row: { record: string }) => memberRecordSchema.parse(JSON.parse(row.record));
  return {
    find: (leaseId) => {
      const row = store.get('SELECT record FROM members WHERE lease_id = ?', [leaseIdSchema.parse(leaseId)], rowSchema);
      return row === undefined ? undefined : read(row);
    },
    open: () =>
      store.all("SELECT record FROM members WHERE state <> 'settled' ORDER BY lease_id", [], rowSchema).map(read),
    save: (record) => {
      const text = JSON.stringify(record, (_key, value: unknown) =>
        typeof value === 'bigint' ? value.toString() : value,
      );
      store.run(
        'INSERT INTO members (lease_id, state, record) VALUES (?, ?, ?) ON CONFLICT (lease_id) DO UPDATE SET state = excluded.state, record = excluded.record',
        [record.leaseId, record.state, text],
      );
    },
  };
}
