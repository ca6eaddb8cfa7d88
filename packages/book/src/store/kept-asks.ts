import type { Store } from '@latent/kit';
import { type AskId, askIdSchema, type SignedAsk, signedAskSchema } from '@latent/protocol';
import type { Address } from 'viem';
import { z } from 'zod';
import { toJson } from '../to-json.ts';

/** An ask that the book has taken. */
export interface KeptAsk {
  readonly id: AskId;
  readonly signed: SignedAsk;
  /** Whether the chain has confirmed whose agent it is. Only then it is served. */
  readonly verified: boolean;
}

/** The asks of a book: on disk before in memory, so that nothing that was accepted is lost. */
export interface KeptAsks {
  readonly size: number;
  find(id: AskId): KeptAsk | undefined;
  /** Oldest first. */
  ofAgent(agentKey: Address): readonly KeptAsk[];
  all(): readonly KeptAsk[];
  /** Those that the chain has not confirmed yet, oldest first. */
  pending(): readonly KeptAsk[];
  /** Adds an ask, or replaces what is known of it. */
  keep(ask: KeptAsk): void;
  drop(ids: readonly AskId[]): void;
}

export const asksMigration = `
  CREATE TABLE asks (
    id TEXT PRIMARY KEY,
    verified INTEGER NOT NULL,
    signed TEXT NOT NULL
  ) STRICT;
`;

const rowSchema = z.object({ id: askIdSchema, verified: z.int(), signed: z.string() });

/** Reads all asks back. What no longer fits the schema (written by another version) is left out. */
export function openKeptAsks(store: Store): KeptAsks {
  const byId = new Map<AskId, KeptAsk>();
  const pending = new Map<AskId, KeptAsk>();
  const byAgent = new Map<Address, Map<AskId, KeptAsk>>();

  const remember = (ask: KeptAsk) => {
    byId.set(ask.id, ask);
    if (ask.verified) pending.delete(ask.id);
    else pending.set(ask.id, ask);
    const { agentKey } = ask.signed.ask;
    const siblings = byAgent.get(agentKey) ?? new Map<AskId, KeptAsk>();
    byAgent.set(agentKey, siblings.set(ask.id, ask));
  };
  const forget = (id: AskId) => {
    const agentKey = byId.get(id)?.signed.ask.agentKey;
    byId.delete(id);
    pending.delete(id);
    const siblings = agentKey && byAgent.get(agentKey);
    siblings?.delete(id);
    if (agentKey && siblings?.size === 0) byAgent.delete(agentKey);
  };

  for (const row of store.all('SELECT id, verified, signed FROM asks ORDER BY rowid', [], rowSchema)) {
    const signed = signedAskSchema.safeParse(JSON.parse(row.signed));
    if (signed.success) remember({ id: row.id, signed: signed.data, verified: row.verified === 1 });
  }

  return {
    get size() {
      return byId.size;
    },
    find: (id) => byId.get(id),
    ofAgent: (agentKey) => [...(byAgent.get(agentKey)?.values() ?? [])],
    all: () => [...byId.values()],
    pending: () => [...pending.values()],
    keep: (ask) => {
      store.run(
        `INSERT INTO asks (id, verified, signed) VALUES (?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET verified = excluded.verified, signed = excluded.signed`,
        [ask.id, ask.verified ? 1 : 0, toJson(ask.signed)],
      );
      remember(ask);
    },
    drop: (ids) => {
      store.transaction(() => {
        for (const id of ids) store.run('DELETE FROM asks WHERE id = ?', [id]);
      });
      for (const id of ids) forget(id);
    },
  };
}
