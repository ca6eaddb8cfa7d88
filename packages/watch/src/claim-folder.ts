import { identifyProcess, isRunning, processIdentitySchema, type Store } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { z } from 'zod';

export const folderMigration = `
  CREATE TABLE daemon (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    pid INTEGER NOT NULL,
    birth TEXT NOT NULL,
    url TEXT
  ) STRICT;
`;

const daemonRow = processIdentitySchema.extend({ url: z.string().nullable() });

export interface ClaimedFolder {
  /** Where it is reached, for those who look. */
  announce(url: string): void;
  release(): void;
}

/**
 * Makes this process the one daemon of a data folder: two would send from one account past each other.
 * @throws LatentError WATCH_RUNNING
 */
export function claimFolder(store: Store, dataDir: string): ClaimedFolder {
  store.transaction(() => {
    const known = readDaemon(store);
    if (known !== undefined && known.pid !== process.pid && isRunning(known)) {
      throw new LatentError('WATCH_RUNNING', `Process ${known.pid} runs on ${dataDir} already.`, {
        hint: 'End it first, or give this one a folder of its own.',
        details: { pid: known.pid },
      });
    }
    const { pid, birth } = identifyProcess(process.pid);
    store.run('INSERT OR REPLACE INTO daemon (id, pid, birth, url) VALUES (1, ?, ?, NULL)', [pid, birth]);
  });
  return {
    announce: (url) => void store.run('UPDATE daemon SET url = ? WHERE id = 1', [url]),
    release: () => void store.run('DELETE FROM daemon WHERE pid = ?', [process.pid]),
  };
}

/** The daemon of a folder, if it runs. */
export function findDaemon(store: Store): { readonly pid: number; readonly url: string | null } | undefined {
  const known = readDaemon(store);
  return known !== undefined && isRunning(known) ? { pid: known.pid, url: known.url } : undefined;
}

function readDaemon(store: Store) {
  return store.get('SELECT pid, birth, url FROM daemon WHERE id = 1', [], daemonRow);
}
