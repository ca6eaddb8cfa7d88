import type { Logger, Store } from '@latent/kit';
import { z } from 'zod';
import type { Consumer } from './follower.ts';
import { changeRow } from './follower-schema.ts';
import type { Ledger } from './ledger.ts';

/** Who is told of changes, and what each has seen. */
export interface Consumers {
  add(consumer: Consumer): () => void;
  /** Tells everybody what they have not seen yet. */
  tellAll(): void;
}

const BATCH = 256;
const sequenceRow = z.object({ sequence: z.int() });

export function createConsumers(
  { store, logger }: { readonly store: Store; readonly logger: Logger },
  ledger: Ledger,
): Consumers {
  const consumers = new Set<Consumer>();

  function begin({ name, view, from }: Consumer): void {
    store.transaction(() => {
      const sql = 'SELECT coalesce(max(sequence), 0) AS sequence FROM follower_change WHERE view = ?';
      const last = from === 'start' ? 0 : (store.get(sql, [view], sequenceRow)?.sequence ?? 0);
      store.run('INSERT INTO follower_consumer VALUES (?, ?) ON CONFLICT DO NOTHING', [name, last]);
    });
  }

  /** @returns whether there may be more */
  function tell({ name, view, take }: Consumer): boolean {
    return store.transaction(() => {
      const sql = 'SELECT sequence FROM follower_consumer WHERE name = ?';
      const seen = store.get(sql, [name], sequenceRow)?.sequence ?? 0;
      const rows = store.all(
        `SELECT sequence, kind, log.id, block_number, block_hash, log_index, transaction_hash, address, topics, data, timestamp
         FROM follower_change AS change JOIN follower_log AS log ON log.id = change.log_id
         WHERE view = ? AND sequence > ? ORDER BY sequence LIMIT ?`,
        [view, seen, BATCH],
        changeRow,
      );
      const last = rows.at(-1);
      if (last === undefined) return false;
      take(rows.map(({ sequence, kind, ...row }) => ({ sequence, kind, event: ledger.eventOf(row) })));
      store.run('UPDATE follower_consumer SET sequence = ? WHERE name = ?', [last.sequence, name]);
      return rows.length === BATCH;
    });
  }

  function tellOne(consumer: Consumer): void {
    try {
      while (consumers.has(consumer) && tell(consumer));
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown.message : String(thrown);
      logger.error({ consumer: consumer.name, error }, 'a consumer failed; it is told again later');
    }
  }

  return {
    add: (consumer) => {
      begin(consumer);
      consumers.add(consumer);
      tellOne(consumer);
      return () => consumers.delete(consumer);
    },
    tellAll: () => {
      for (const consumer of [...consumers]) tellOne(consumer);
    },
  };
}
