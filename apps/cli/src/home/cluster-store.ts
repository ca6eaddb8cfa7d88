import { isRunning, openStore, type ProcessIdentity, processIdentitySchema, type Store } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { type ClusterEvent, type ClusterJournal, type ClusterRecord, clusterRecordSchema, isOver } from '@latent/sdk';
import { z } from 'zod';
import type { LatentHome } from './latent-home.ts';

const migration = `
  CREATE TABLE clusters (
    name TEXT PRIMARY KEY,
    record TEXT NOT NULL,
    meter_pid INTEGER,
    meter_birth TEXT
  ) STRICT;
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    cluster TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX events_of_cluster ON events (cluster, seq);
`;

const rowSchema = z.object({ record: z.string() });
const eventSchema = z.object({
  seq: z.int(),
  atMs: z.int(),
  kind: z.enum(['phase', 'member', 'transaction', 'warning', 'files']),
  text: z.string(),
});
export type StoredEvent = z.infer<typeof eventSchema>;

/** Clusters of a renter, in one SQLite file that the meters and all commands share. */
export interface ClusterStore extends ClusterJournal {
  /** @throws LatentError CLUSTER_EXISTS while one of that name has not ended */
  refuseIfAlive(name: string): void;
  /** @throws as {@link refuseIfAlive} */
  create(record: ClusterRecord): void;
  list(): readonly ClusterRecord[];
  eventsAfter(name: string, seq: number): readonly StoredEvent[];
  /** The process that meters it, if one ever did; it may have ended. */
  meter(name: string): ProcessIdentity | undefined;
  /**
   * Makes `claim` its meter unless the known one runs, and is another process than the one that asks. In one step, however
   * many ask at once: two meters would sign over each other's vouchers.
   * @returns whether it was claimed
   */
  claimMeter(name: string, claim: () => ProcessIdentity): boolean;
  close(): void;
}

export function openClusterStore(home: LatentHome, nowMs: () => number): ClusterStore {
  const store = openStore({ path: home.clusters, migrations: [migration] });
  const find = (name: string) => store.get('SELECT record FROM clusters WHERE name = ?', [name], rowSchema);
  const load = (name: string) => {
    const row = find(name);
    if (row === undefined) throw unknownCluster(store, name);
    return parseRecord(row.record);
  };
  const tell = (name: string, event: ClusterEvent) => {
    store.run('INSERT INTO events (cluster, at_ms, kind, text) VALUES (?, ?, ?, ?)', [
      name,
      nowMs(),
      event.kind,
      event.text,
    ]);
  };
  const refuseIfAlive = (name: string) => {
    const row = find(name);
    if (row !== undefined) refuseAlive(parseRecord(row.record));
  };
  const meter = (name: string) => {
    const columns = 'SELECT meter_pid AS pid, meter_birth AS birth FROM clusters WHERE name = ?';
    return store.get(`${columns} AND meter_pid IS NOT NULL`, [name], processIdentitySchema);
  };
  return {
    load,
    tell,
    update: (name, change) =>
      store.transaction(() => {
        const record = change(load(name));
        store.run('UPDATE clusters SET record = ? WHERE name = ?', [formatRecord(record), name]);
        return record;
      }),
    refuseIfAlive,
    create: (record) =>
      store.transaction(() => {
        refuseIfAlive(record.name);
        store.run('DELETE FROM events WHERE cluster = ?', [record.name]);
        store.run('INSERT OR REPLACE INTO clusters (name, record) VALUES (?, ?)', [record.name, formatRecord(record)]);
      }),
    list: () =>
      store.all('SELECT record FROM clusters ORDER BY name', [], rowSchema).map(({ record }) => parseRecord(record)),
    eventsAfter: (name, seq) =>
      store.all(
        'SELECT seq, at_ms AS atMs, kind, text FROM events WHERE cluster = ? AND seq > ? ORDER BY seq',
        [name, seq],
        eventSchema,
      ),
    meter,
    claimMeter: (name, claim) =>
      store.transaction(() => {
        const known = meter(name);
        if (known !== undefined && known.pid !== process.pid && isRunning(known)) return false;
        const { pid, birth } = claim();
        store.run('UPDATE clusters SET meter_pid = ?, meter_birth = ? WHERE name = ?', [pid, birth, name]);
        return true;
      }),
    close: () => store.close(),
  };
}

function refuseAlive(record: ClusterRecord): void {
  if (isOver(record)) return;
  throw new LatentError('CLUSTER_EXISTS', `A cluster named "${record.name}" is ${record.phase}.`, {
    hint: `Give another name with --name, or end that one: latent down ${record.name}`,
  });
}

function unknownCluster(store: Store, name: string): LatentError {
  const names = store
    .all('SELECT name AS record FROM clusters ORDER BY name', [], rowSchema)
    .map(({ record }) => record);
  return new LatentError('CLUSTER_UNKNOWN', `There is no cluster named "${name}".`, {
    hint:
      names.length === 0 ? 'Launch one: latent launch examples/digits/task.yaml' : `There are: ${names.join(', ')}.`,
  });
}

function formatRecord(record: ClusterRecord): string {
  return JSON.stringify(record, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}

function parseRecord(text: string): ClusterRecord {
  return clusterRecordSchema.parse(JSON.parse(text));
}
