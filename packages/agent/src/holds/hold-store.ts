import type { Store } from '@latent/kit';
import { type AskId, addressSchema, askIdSchema } from '@latent/protocol';
import type { Address } from 'viem';
import { z } from 'zod';

const holdSchema = z.object({
  ask: askIdSchema,
  renter: addressSchema,
  devices: z.int(),
  heldUntil: z.int(),
});
export type Hold = z.infer<typeof holdSchema>;

/** Holds, in SQLite: a promise survives the agent. */
export interface HoldStore {
  /** Those that bind at `nowSeconds`. */
  current(nowSeconds: number): readonly Hold[];
  save(hold: Hold): void;
  /** The renter opened its lease, or gave the hold back. */
  release(ask: AskId, renter: Address): void;
}

export const holdMigration = `
  CREATE TABLE holds (
    ask TEXT NOT NULL,
    renter TEXT NOT NULL,
    devices INTEGER NOT NULL,
    held_until INTEGER NOT NULL,
    PRIMARY KEY (ask, renter)
  ) STRICT;
`;

export function createHoldStore(store: Store): HoldStore {
  return {
    current: (nowSeconds) =>
      store.all(
        'SELECT ask, renter, devices, held_until AS heldUntil FROM holds WHERE held_until > ?',
        [nowSeconds],
        holdSchema,
      ),
    save: (hold) => {
      store.transaction(() => {
        store.run('INSERT OR REPLACE INTO holds (ask, renter, devices, held_until) VALUES (?, ?, ?, ?)', [
          hold.ask,
          hold.renter,
          hold.devices,
          hold.heldUntil,
        ]);
        store.run('DELETE FROM holds WHERE held_until < ?', [hold.heldUntil - RETENTION_SECONDS]);
      });
    },
    release: (ask, renter) => {
      store.run('DELETE FROM holds WHERE ask = ? AND renter = ?', [ask, renter]);
    },
  };
}

/** Lapsed holds are kept a day, as evidence of what was promised. */
const RETENTION_SECONDS = 86_400;
