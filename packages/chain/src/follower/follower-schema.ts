import { integerColumn } from '@latent/kit';
import { addressSchema, hex32Schema } from '@latent/protocol';
import { type Hex, isHex } from 'viem';
import { z } from 'zod';

/**
 * The follower's tables. `openStore` takes them beside the caller's own.
 *
 * Logs are never deleted: one that a reorganisation took away is marked as not present, as consumers may still have to be
 * told, and as its block may come back. Topics and data are kept as they came, so that leases can be projected anew.
 */
export const followerMigrations: readonly string[] = [
  `
  CREATE TABLE follower_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE follower_head (
    view TEXT PRIMARY KEY CHECK (view IN ('latest', 'confirmed')),
    number INTEGER NOT NULL, hash TEXT NOT NULL, timestamp INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE follower_block (
    number INTEGER PRIMARY KEY, hash TEXT NOT NULL, timestamp INTEGER NOT NULL,
    is_anchor INTEGER NOT NULL, served_by TEXT NOT NULL
  ) STRICT;
  CREATE TABLE follower_log (
    id INTEGER PRIMARY KEY,
    block_number INTEGER NOT NULL, block_hash TEXT NOT NULL, log_index INTEGER NOT NULL,
    transaction_hash TEXT NOT NULL, address TEXT NOT NULL, topics TEXT NOT NULL, data TEXT NOT NULL,
    timestamp INTEGER NOT NULL, lease_id TEXT, is_present INTEGER NOT NULL,
    UNIQUE (block_hash, log_index)
  ) STRICT;
  CREATE INDEX follower_log_order ON follower_log (is_present, block_number, log_index);
  CREATE INDEX follower_log_lease ON follower_log (lease_id, is_present, block_number, log_index);
  CREATE TABLE follower_change (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    view TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('new', 'reverted')),
    log_id INTEGER NOT NULL REFERENCES follower_log (id)
  ) STRICT;
  CREATE INDEX follower_change_view ON follower_change (view, sequence);
  CREATE TABLE follower_consumer (name TEXT PRIMARY KEY, sequence INTEGER NOT NULL) STRICT;
  CREATE TABLE follower_lease (
    view TEXT NOT NULL, lease_id TEXT NOT NULL, state TEXT NOT NULL,
    first_block INTEGER NOT NULL, first_index INTEGER NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (view, lease_id)
  ) STRICT;
  CREATE INDEX follower_lease_state ON follower_lease (view, state, first_block, first_index);
  `,
];

const hexColumn = z.string().refine((text): text is Hex => isHex(text), 'not hex');

export const headRow = z.object({ number: integerColumn, hash: hex32Schema, timestamp: z.int() });
export const blockRow = headRow.extend({ served_by: z.string() });
export const logRow = z.object({
  id: z.int(),
  block_number: integerColumn,
  block_hash: hex32Schema,
  log_index: z.int(),
  transaction_hash: hex32Schema,
  address: addressSchema,
  topics: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(z.array(hex32Schema)),
  data: hexColumn,
  timestamp: z.int(),
});
export type LogRow = z.infer<typeof logRow>;
export const changeRow = logRow.extend({ sequence: z.int(), kind: z.enum(['new', 'reverted']) });
