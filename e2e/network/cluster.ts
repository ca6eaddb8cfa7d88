import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type ClusterRecord, clusterRecordSchema } from '@latent/sdk';
import { z } from 'zod';
import { waitUntil } from './wait-until.ts';

const rowsSchema = z.array(z.object({ record: z.string(), meterPid: z.int().nullable() }));

export interface StoredCluster {
  readonly record: ClusterRecord;
  readonly meterPid: number | undefined;
}

/** All clusters as their renter has stored them. Looks only: commands would start their meters again. */
export function listClusters(home: string): readonly StoredCluster[] {
  const path = join(home, 'clusters.sqlite');
  if (!existsSync(path)) return [];
  const store = new DatabaseSync(path, { readOnly: true, timeout: 10_000 });
  try {
    // A command may be making it at this moment.
    if (store.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'clusters'").get() === undefined) return [];
    const rows = store.prepare('SELECT record, meter_pid AS meterPid FROM clusters ORDER BY name').all();
    return rowsSchema.parse(rows).map(({ record, meterPid }) => ({
      record: clusterRecordSchema.parse(JSON.parse(record)),
      meterPid: meterPid ?? undefined,
    }));
  } finally {
    store.close();
  }
}

/** One of them; undefined if there is none of that name. */
export function readCluster(home: string, name: string): StoredCluster | undefined {
  return listClusters(home).find(({ record }) => record.name === name);
}

/** Waits until the stored record is as wished. */
export function awaitCluster(
  home: string,
  name: string,
  what: string,
  isReached: (record: ClusterRecord) => boolean,
  limitMs?: number,
): Promise<ClusterRecord> {
  return waitUntil(
    `cluster ${name} ${what}`,
    () => {
      const record = readCluster(home, name)?.record;
      return record !== undefined && isReached(record) && record;
    },
    limitMs,
  );
}

/** Waits until the job runs on every rank and the first voucher of the meter's own counting is signed. */
export function awaitRunning(home: string, name: string): Promise<ClusterRecord> {
  return awaitCluster(home, name, 'is running', ({ phase, members }) => {
    return phase === 'running' && members.every(({ state, countedFromMs }) => state === 'running' && countedFromMs > 0);
  });
}
