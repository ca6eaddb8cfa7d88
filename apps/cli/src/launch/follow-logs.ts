import { systemClock } from '@latent/kit';
import { toLatentError } from '@latent/protocol';
import { type AgentLink, type ClusterRecord, streamLogs } from '@latent/sdk';
import { createLineCutter } from './log-lines.ts';

const RETRY_MS = 500;
const LONGEST_SILENCE_TRIES = 20;

export interface FollowLogsOptions {
  readonly record: ClusterRecord;
  readonly links: readonly AgentLink[];
  readonly ranks: readonly number[];
  readonly follow: boolean;
  readonly signal: AbortSignal;
  readonly onLine: (rank: number, line: string) => void;
  readonly onLost?: (rank: number, message: string) => void;
}

/** Streams the output of ranks, line by line, resuming where a stream broke. Resolves when all have ended or are lost. */
export async function followLogs(options: FollowLogsOptions): Promise<void> {
  await Promise.all(options.ranks.map((rank) => followRank(options, rank)));
}

async function followRank(options: FollowLogsOptions, rank: number): Promise<void> {
  const { record, links, follow, signal, onLine, onLost } = options;
  const link = links[rank];
  if (link === undefined) return;
  const cutter = createLineCutter();
  let offset = 0;
  for (let tries = 0; ; tries += 1) {
    try {
      for await (const bytes of streamLogs(link, record.leaseId, { offset, follow, signal })) {
        offset += bytes.byteLength;
        tries = 0;
        for (const line of cutter.push(bytes)) onLine(rank, line);
      }
      break;
    } catch (thrown) {
      if (signal.aborted) return;
      const error = toLatentError(thrown);
      const mayPass =
        error.code === 'PEER_UNREACHABLE' ||
        error.code === 'STREAM_CLOSED' ||
        error.code === 'LEASE_NOT_MINE' ||
        error.code === 'TIMED_OUT';
      if (!mayPass || !follow || tries >= LONGEST_SILENCE_TRIES) {
        onLost?.(rank, error.message);
        break;
      }
      await systemClock.sleep(RETRY_MS, { signal }).catch(() => undefined);
    }
  }
  for (const line of cutter.flush()) onLine(rank, line);
}
