import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '@latent/kit';
import {
  errorBodySchema,
  LatentError,
  MAX_WATCH_ANSWER_BYTES,
  type WatchStatus,
  watchStatusSchema,
} from '@latent/protocol';
import { findDaemon, folderMigration } from './claim-folder.ts';

const TIMEOUT_MS = 10_000;

/**
 * Where the daemon of a data folder is reached.
 * @throws LatentError WATCH_NOT_RUNNING
 */
export function findWatch(dataDir: string): string {
  const path = join(dataDir, 'daemon.sqlite');
  if (existsSync(path)) {
    const store = openStore({ path, migrations: [folderMigration] });
    try {
      const url = findDaemon(store)?.url ?? null;
      if (url !== null) return url;
    } finally {
      store.close();
    }
  }
  throw new LatentError('WATCH_NOT_RUNNING', `Nothing runs on ${dataDir}.`, {
    hint: 'Start it with `latent keeper start` or `latent watchtower start`.',
  });
}

/**
 * What a keeper or watchtower says of itself.
 * @throws LatentError WATCH_UNREACHABLE, MESSAGE_INVALID, CANCELLED, and what it answers with
 */
export async function readWatchStatus(url: string, signal: AbortSignal): Promise<WatchStatus> {
  const text = await ask(new URL('/v1/status', url), signal);
  const status = watchStatusSchema.safeParse(parseJson(text));
  if (status.success) return status.data;
  const error = errorBodySchema.safeParse(parseJson(text));
  if (error.success) throw LatentError.fromBody(error.data);
  throw new LatentError('MESSAGE_INVALID', `${url} does not answer as a keeper or watchtower does.`);
}

async function ask(url: URL, signal: AbortSignal): Promise<string> {
  try {
    const response = await fetch(url, {
      ...{ redirect: 'error', signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) },
    });
    return await readBounded(response);
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof LatentError) throw cause;
    throw new LatentError('WATCH_UNREACHABLE', `${url.origin} does not answer.`, { cause });
  }
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_WATCH_ANSWER_BYTES) throw new LatentError('MESSAGE_TOO_LARGE', 'The answer is too long.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schemas say what is wrong with undefined.
    return undefined;
  }
}
