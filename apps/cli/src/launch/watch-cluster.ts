import { formatDollars, LatentError } from '@latent/protocol';
import { type ClusterRecord, clusterLinks, isOver } from '@latent/sdk';
import { openCountingTransport } from '../relay/open-counting-transport.ts';
import type { CommandContext } from '../run-command.ts';
import { openLiveView } from '../screen/live-view.ts';
import { spentSoFar } from '../screen/show-cluster.ts';
import { followLogs } from './follow-logs.ts';
import { readProgress } from './progress.ts';
import { waitForPhase } from './wait-for-phase.ts';

/**
 * Has every rank's job ended well, and are its outputs saved where it has any, so that the cluster stands idle? One that goes
 * down with its job, for a failure or as asked, is over at its end only.
 */
function isJobOver(record: ClusterRecord): boolean {
  if (record.downWhenDone || record.phase !== 'running') return false;
  const ended = record.members.every(({ job }) => job.kind === 'exited' && job.code === 0);
  return ended && (record.job.outputs.length === 0 || record.outputsFolder !== null);
}

/**
 * Shows a cluster until its job has ended or the cluster is over. Ctrl-C here asks the meter to close the lease, and the
 * end is awaited and shown; a second Ctrl-C leaves at once (the meter still closes).
 * @throws LatentError the cluster's outcome if it ended with an error; CANCELLED after Ctrl-C
 */
export async function watchCluster(
  context: CommandContext,
  name: string,
  isDone: (record: ClusterRecord) => boolean = isJobOver,
): Promise<ClusterRecord> {
  const { home, store, output, signal } = context;
  const first = store.load(name);
  const transport = openCountingTransport(home, first);
  const view = openLiveView(output);
  const ending = new AbortController();
  const follow = {
    home,
    store,
    name,
    signal: ending.signal,
    onEvent: ({ text }: { readonly text: string }) => view.event(text),
    onRecord: view.record,
  };
  const onInterrupt = () => {
    view.event('closing the lease (Ctrl-C)');
    store.update(name, (record) => ({ ...record, stopRequested: record.stopRequested ?? 'the renter pressed Ctrl-C' }));
  };
  signal.addEventListener('abort', onInterrupt, { once: true });
  const logs = followLogs({
    record: first,
    links: clusterLinks(transport, first),
    ranks: first.members.map((_, rank) => rank),
    follow: true,
    signal: ending.signal,
    onLine: (rank, line) => {
      const progress = readProgress(line);
      if (progress === undefined) view.logLine(rank, line);
      else view.progress(rank, progress);
    },
  });
  try {
    const record = await waitForPhase(follow, (latest) => !signal.aborted && isDone(latest));
    if (!isOver(record)) await logs;
    return checkOutcome(record, signal.aborted);
  } finally {
    signal.removeEventListener('abort', onInterrupt);
    ending.abort();
    await logs;
    view.close();
    await transport.close();
  }
}

function sayPaid(record: ClusterRecord): string {
  const { deposit } = record.terms.order;
  if (record.outcome?.code === 'LEASE_NOT_ACTIVE') return 'Nothing was paid.';
  const paid = spentSoFar(record);
  const rest = record.phase === 'ended' ? 'came back' : 'comes back after the closing window, less what is still owed';
  return `${formatDollars(paid)} was paid; ${formatDollars(deposit - paid)} ${rest}.`;
}

function checkOutcome(record: ClusterRecord, interrupted: boolean): ClusterRecord {
  const { outcome } = record;
  if (interrupted)
    throw new LatentError('CANCELLED', `${record.name} was closed before its job had ended. ${sayPaid(record)}`, {
      hint: `In full: latent bill ${record.name}`,
    });
  if (outcome === null || outcome.code === 'done') return record;
  throw LatentError.fromBody({
    code: outcome.code,
    message: outcome.message,
    retry: 'never',
    hint: `What was paid: latent bill ${record.name}`,
  });
}
