import type { Store } from '@latent/kit';
import { z } from 'zod';

export const relayUsageMigration = `
  CREATE TABLE relay_usage (
    day INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('key', 'place', 'book')),
    name TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (day, kind, name)
  ) STRICT, WITHOUT ROWID;
`;

/** Accounts that used less are not written down: keys cost nothing, and somebody may make millions. */
export const LEAST_WRITTEN_BYTES = 64 * 1024;
/** Most accounts of one kind that are written down for a day. Beyond, a new one is forgotten with its last link. */
const MAX_ROWS_PER_KIND = 200_000;

interface UsedBy {
  readonly kind: 'key' | 'place' | 'book';
  readonly name: string;
  /** Since 1970, UTC. */
  readonly day: number;
}

interface Used extends UsedBy {
  readonly usedBytes: number;
}

/** What was relayed, on the disk. Its methods throw StoreError. */
export interface UsageRows {
  /** Bytes; 0 if nothing is written down. */
  find(by: UsedBy): number;
  /** Writes these down in one go, and forgets other days than `today`. */
  write(used: readonly Used[], today: number): void;
}

const bytesRow = z.object({ bytes: z.int() });
const countRow = z.object({ kind: z.string(), rows: z.int() });

export function openUsageRows(store: Store): UsageRows {
  const find = ({ day, kind, name }: UsedBy) =>
    store.get('SELECT bytes FROM relay_usage WHERE day = ? AND kind = ? AND name = ?', [day, kind, name], bytesRow)
      ?.bytes;
  const countRows = (day: number) =>
    new Map(
      store
        .all('SELECT kind, count(*) AS rows FROM relay_usage WHERE day = ? GROUP BY kind', [day], countRow)
        .map(({ kind, rows }) => [kind, rows]),
    );
  let counted: { day: number; rows: Map<string, number> } | undefined;

  function add({ day, kind, name, usedBytes }: Used, rows: Map<string, number>): void {
    const count = rows.get(kind) ?? 0;
    if (usedBytes < LEAST_WRITTEN_BYTES || count >= MAX_ROWS_PER_KIND) return;
    store.run('INSERT INTO relay_usage (day, kind, name, bytes) VALUES (?, ?, ?, ?)', [day, kind, name, usedBytes]);
    rows.set(kind, count + 1);
  }

  return {
    find: (by) => find(by) ?? 0,
    write: (used, today) => {
      try {
        store.transaction(() => {
          if (counted?.day !== today) {
            store.run('DELETE FROM relay_usage WHERE day <> ?', [today]);
            counted = { day: today, rows: countRows(today) };
          }
          for (const one of used) {
            if (one.day !== today) continue;
            const { day, kind, name, usedBytes } = one;
            const changed = store.run('UPDATE relay_usage SET bytes = ? WHERE day = ? AND kind = ? AND name = ?', [
              usedBytes,
              day,
              kind,
              name,
            ]);
            if (changed === 0) add(one, counted.rows);
          }
        });
      } catch (thrown) {
        // What was counted may have been rolled back.
        counted = undefined;
        throw thrown;
      }
    },
  };
}
