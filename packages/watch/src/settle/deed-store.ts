import type { Store } from '@latent/kit';
import { addressSchema, hex32Schema, type LeaseId, leaseIdSchema, uintSchema, type WatchDeed } from '@latent/protocol';
import type { ContractCall } from '@latent/sdk';
import type { Hex } from 'viem';
import { z } from 'zod';
import type { Wish } from '../policy/decide-lease.ts';
import { toJson } from '../to-json.ts';

export const deedsMigration = `
  CREATE TABLE deeds (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    deed TEXT NOT NULL,
    state TEXT NOT NULL,
    rows TEXT NOT NULL,
    call_to TEXT NOT NULL,
    call_data TEXT NOT NULL,
    gas TEXT NOT NULL,
    worth TEXT NOT NULL,
    most_wei TEXT NOT NULL,
    spent_wei TEXT NOT NULL,
    hash TEXT,
    problem TEXT,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER
  ) STRICT;
  CREATE INDEX deeds_by_state ON deeds (state);
  CREATE INDEX deeds_by_end ON deeds (ended_ms);
  CREATE TABLE bad_rows (
    mark TEXT PRIMARY KEY,
    strikes INTEGER NOT NULL,
    until_ms INTEGER NOT NULL
  ) STRICT;
`;

/** By what it is seen that a row was carried out, by whomever. */
const expectedRowSchema = z.object({
  leaseId: leaseIdSchema,
  /** Base units paid out for the lease before; a checkpoint raises it. */
  chargedBefore: uintSchema(256),
  /** What the escrow stored of its roster before; a member that leaves changes it. */
  rosterHashBefore: hex32Schema,
  /** See `markOf`. */
  mark: z.string(),
});
export type ExpectedRow = z.infer<typeof expectedRowSchema>;

const deedRow = z.object({
  id: z.int(),
  deed: z.enum(['checkpoint', 'close', 'leave', 'finalize']),
  state: z.enum(['open', 'done', 'done-by-others', 'failed']),
  rows: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(z.array(expectedRowSchema)),
  call_to: addressSchema,
  call_data: z.string(),
  gas: uintSchema(64),
  worth: uintSchema(128),
  most_wei: uintSchema(256),
  spent_wei: uintSchema(256),
  hash: hex32Schema.nullable(),
  problem: z.string().nullable(),
  started_ms: z.int(),
});

/** One transaction that was decided on. */
export interface Deed extends Omit<WatchDeed, 'leases' | 'hash'> {
  readonly rows: readonly ExpectedRow[];
  readonly call: ContractCall;
  /** Limit. */
  readonly gas: bigint;
  readonly hash: Hex | null;
}

export type DeedDraft = Pick<Deed, 'rows' | 'call' | 'gas' | 'worth' | 'mostWei'> & { readonly deed: Wish['deed'] };

export interface DeedEnd {
  readonly state: 'done' | 'done-by-others' | 'failed';
  readonly spentWei: bigint;
  readonly hash: Hex | null;
  readonly problem: string | null;
}

/** What was decided, on the disk before it is acted on: a deed that is open is gone on with, and its leases wait for it. */
export interface DeedStore {
  create(draft: DeedDraft, nowMs: number): Deed;
  open(): readonly Deed[];
  /** The newest first. */
  recent(limit: number): readonly Deed[];
  end(id: number, end: DeedEnd, nowMs: number): void;
  /** Wei that went since `sinceMs`, with all that open deeds may still cost. */
  spentSince(sinceMs: number): bigint;
  /** A row that the contract would skip. It is left out for a while, longer each time. */
  markBad(mark: string, nowMs: number): void;
  isBad(mark: string, nowMs: number): boolean;
}

const FIRST_PAUSE_MS = 15_000;
/** Less than the shortest closing window by far. */
const LONGEST_PAUSE_MS = 240_000;
const FORGET_AFTER_MS = 86_400_000;

export function createDeedStore(store: Store): DeedStore {
  const columns =
    'SELECT id, deed, state, rows, call_to, call_data, gas, worth, most_wei, spent_wei, hash, problem, started_ms';
  const read = (tail: string, values: readonly (string | number)[]) =>
    store.all(`${columns} FROM deeds ${tail}`, values, deedRow).map(toDeed);
  return {
    create: ({ deed, rows, call, gas, worth, mostWei }, nowMs) =>
      store.transaction(() => {
        store.run(
          `INSERT INTO deeds (deed, state, rows, call_to, call_data, gas, worth, most_wei, spent_wei, started_ms)
           VALUES (?, 'open', ?, ?, ?, ?, ?, ?, '0', ?)`,
          [deed, toJson(rows), call.to, call.data, gas.toString(), worth.toString(), mostWei.toString(), nowMs],
        );
        const [made] = read('ORDER BY id DESC LIMIT 1', []);
        if (made === undefined) throw new RangeError('the deed that was written is not there');
        return made;
      }),
    open: () => read("WHERE state = 'open' ORDER BY id", []),
    recent: (limit) => read('ORDER BY id DESC LIMIT ?', [limit]),
    end: (id, { state, spentWei, hash, problem }, nowMs) => {
      store.run('UPDATE deeds SET state = ?, spent_wei = ?, hash = ?, problem = ?, ended_ms = ? WHERE id = ?', [
        ...[state, spentWei.toString(), hash, problem, nowMs, id],
      ]);
    },
    spentSince: (sinceMs) =>
      read("WHERE state = 'open' OR ended_ms >= ?", [sinceMs]).reduce(
        (sum, { state, mostWei, spentWei }) => sum + (state === 'open' ? mostWei : spentWei),
        0n,
      ),
    markBad: (mark, nowMs) => {
      store.run('DELETE FROM bad_rows WHERE until_ms < ?', [nowMs - FORGET_AFTER_MS]);
      const strikes = store.get('SELECT strikes FROM bad_rows WHERE mark = ?', [mark], strikesRow)?.strikes ?? 0;
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(strikes, 10), LONGEST_PAUSE_MS);
      store.run('INSERT OR REPLACE INTO bad_rows (mark, strikes, until_ms) VALUES (?, ?, ?)', [
        ...[mark, strikes + 1, nowMs + pauseMs],
      ]);
    },
    isBad: (mark, nowMs) =>
      store.get('SELECT strikes FROM bad_rows WHERE mark = ? AND until_ms > ?', [mark, nowMs], strikesRow) !==
      undefined,
  };
}

const strikesRow = z.object({ strikes: z.int() });

function toDeed(row: z.infer<typeof deedRow>): Deed {
  const { id, deed, state, rows, worth, hash, problem } = row;
  return {
    ...{ id, deed, state, rows, worth, hash, problem },
    call: { to: row.call_to, data: hexOf(row.call_data) },
    gas: row.gas,
    mostWei: row.most_wei,
    spentWei: row.spent_wei,
    startedAtMs: row.started_ms,
  };
}

function hexOf(text: string): Hex {
  return `0x${text.slice(2)}`;
}

export function leasesOf(deed: Deed): readonly LeaseId[] {
  return deed.rows.map(({ leaseId }) => leaseId);
}
