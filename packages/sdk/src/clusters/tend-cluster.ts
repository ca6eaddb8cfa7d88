import { toLatentError } from '@latent/protocol';
import { readChainTime } from '../leases/read-chain-time.ts';
import { readLease } from '../leases/read-lease.ts';
import { type ClusterContext, toPhase, waitingForChain } from './cluster-context.ts';
import { type ClusterRecord, isMeteredElsewhere, isOver } from './cluster-record.ts';
import { endCluster, saveClusterOutputs } from './end-cluster.ts';
import { meterCluster } from './meter-cluster.ts';
import { startCluster } from './start-cluster.ts';

const OPENING_POLL_MS = 500;

/**
 * The renter's side of a cluster, from wherever its record stands to its end: this is what the meter process runs. It can
 * be killed at any point and started again.
 * An abort of `context.signal` leaves the cluster as it is, for another meter to go on with; to end the cluster, set
 * `stopRequested` in its record.
 */
export async function tendCluster(context: ClusterContext): Promise<ClusterRecord> {
  const { journal, name } = context;
  for (;;) {
    context.signal.throwIfAborted();
    const record = journal.load(name);
    if (isOver(record) || isMeteredElsewhere(record)) return record;
    try {
      await step(context, record);
    } catch (thrown) {
      context.signal.throwIfAborted();
      const error = toLatentError(thrown);
      journal.tell(name, { kind: 'warning', text: `${error.code}: ${error.message}` });
      if (record.phase === 'ending') throw error;
      toPhase(context, 'ending', `ending: ${error.message}`, { outcome: { code: error.code, message: error.message } });
    }
  }
}

async function step(context: ClusterContext, record: ClusterRecord): Promise<void> {
  switch (record.phase) {
    case 'opening':
      return awaitOpening(context, record);
    case 'starting': {
      if (record.stopRequested !== null) return end(context, 'done', record.stopRequested);
      await startCluster(context, record);
      toPhase(context, 'running', 'every rank was started');
      return;
    }
    case 'running':
      return meter(context);
    case 'ending':
      await endCluster(context);
      return;
    case 'awaiting-window':
    case 'ended':
      return;
    default:
      record.phase satisfies never;
  }
}

/**
 * Whoever launched sends the opening transaction; it may have died before or after. Also when the end was asked for there is
 * nothing to do but wait: a transaction that is on its way can open the lease up to `openBy`, by the chain's clock.
 */
async function awaitOpening(context: ClusterContext, record: ClusterRecord): Promise<void> {
  const { chain, clock, journal, name, signal } = context;
  for (let told = false; ; told = true) {
    // In this order: a lease that is not open by then never will be.
    const nowSeconds = await waitingForChain(context, () => readChainTime(chain));
    const lease = await waitingForChain(context, () => readLease(chain, record.leaseId));
    if (lease.state === 'active') {
      toPhase(context, 'starting', 'the lease is open', { openedAt: lease.openedAt });
      return;
    }
    const leftSeconds = record.terms.order.openBy - nowSeconds;
    if (leftSeconds < 0) {
      const message = 'The lease was never opened; nothing was paid.';
      toPhase(context, 'ended', message, { outcome: { code: 'LEASE_NOT_ACTIVE', message } });
      return;
    }
    const text = `the lease is not open; a transaction on its way could still open it in the next ${leftSeconds} s`;
    if (!told) journal.tell(name, { kind: 'phase', text });
    await clock.sleep(OPENING_POLL_MS, { signal });
  }
}

async function meter(context: ClusterContext): Promise<void> {
  const ended = await meterCluster(context);
  switch (ended.kind) {
    case 'handed-over':
      return;
    case 'stop-requested':
      return end(context, 'done', ended.reason);
    case 'failed': {
      const { code, message } = ended.error;
      toPhase(context, 'ending', `ending: ${message}`, { outcome: { code, message } });
      return;
    }
    case 'job-done': {
      await saveClusterOutputs(context);
      if (context.journal.load(context.name).downWhenDone) return end(context, 'done', 'the job is done');
      return;
    }
    default:
      ended satisfies never;
  }
}

function end(context: ClusterContext, code: string, message: string): void {
  toPhase(context, 'ending', `ending: ${message}`, { outcome: { code, message } });
}
