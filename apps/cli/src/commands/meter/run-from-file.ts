import { resolve } from 'node:path';
import { identifyProcess, systemClock } from '@latent/kit';
import { LatentError, toLatentError } from '@latent/protocol';
import {
  type ClusterRecord,
  clusterLinks,
  type MeterContext,
  type MeterEnd,
  meterCluster,
  openRenterTransport,
  parseMeterFile,
  stopMember,
} from '@latent/sdk';
import { hexToBytes } from 'viem';
import { type ClusterStore, openClusterStore } from '../../home/cluster-store.ts';
import type { CommandContext } from '../../run-command.ts';
import { readMeterFile } from './meter-file-on-disk.ts';

/**
 * Meters a cluster that was handed over, until it ends, fails, or Ctrl-C. What it signed is kept beside the file: started again,
 * it goes on from there. It has no account that could close the lease: at the end it stops the members, and the renter closes.
 */
export async function runMeterFromFile({ home, output, signal }: CommandContext, file: string): Promise<number> {
  const path = resolve(file);
  const { domain, record } = parseMeterFile(await readMeterFile(path));
  const store = openClusterStore({ ...home, clusters: `${path}.sqlite` }, systemClock.nowMs);
  try {
    const { name } = openRecord(store, record);
    if (!store.claimMeter(name, () => identifyProcess(process.pid))) {
      throw new LatentError('CLUSTER_EXISTS', `Another process meters ${name} from this file already.`);
    }
    const transport = openRenterTransport(hexToBytes(record.peerSeed));
    const journal: ClusterStore = {
      ...store,
      tell: (of, event) => {
        store.tell(of, event);
        output.line(`· ${event.text}`);
      },
    };
    const context: MeterContext = { name, journal, chain: { domain }, transport, clock: systemClock, signal };
    output.line(`Metering ${name}, ${record.members.length} machines. Ctrl-C ends it: then nobody pays them any more.`);
    try {
      const exitCode = await endMetering(context, await meterCluster(context));
      output.result({ cluster: name, phase: 'ended' });
      return exitCode;
    } finally {
      await transport.close();
    }
  } finally {
    store.close();
  }
}

/** The record of an earlier life goes on; one of an earlier lease in the same place gives way. */
function openRecord(store: ClusterStore, fresh: ClusterRecord): ClusterRecord {
  const known = store.list().find(({ leaseId }) => leaseId === fresh.leaseId);
  if (known === undefined) {
    store.create(fresh);
    return fresh;
  }
  if (known.phase === 'ended') {
    throw new LatentError('CLUSTER_NOT_RUNNING', `${known.name} has ended: ${known.outcome?.message ?? 'done'}`);
  }
  return known;
}

async function endMetering(context: MeterContext, end: MeterEnd): Promise<number> {
  const { journal, name, signal } = context;
  const outcome = outcomeOf(end);
  const { leaseId, ...record } = journal.update(name, (before) => ({ ...before, phase: 'ended', outcome }));
  const stopped = await Promise.allSettled(
    clusterLinks(context.transport, record).map((link) => stopMember(link, leaseId, outcome.message, signal)),
  );
  signal.throwIfAborted();
  for (const [rank, { status, ...rest }] of stopped.entries()) {
    if (status === 'fulfilled' || !('reason' in rest)) continue;
    const text = `rank ${rank} could not be stopped: ${toLatentError(rest.reason).message}`;
    journal.tell(name, { kind: 'warning', text });
  }
  journal.tell(name, { kind: 'phase', text: `metering has ended: ${outcome.message}` });
  if (end.kind === 'failed') throw end.error;
  return 0;
}

function outcomeOf(end: MeterEnd): { readonly code: string; readonly message: string } {
  switch (end.kind) {
    case 'failed':
      return { code: end.error.code, message: end.error.message };
    case 'stop-requested':
      return { code: 'done', message: end.reason };
    case 'job-done':
      return { code: 'done', message: 'the job is done' };
    case 'handed-over':
      return { code: 'done', message: 'it was handed over' };
    default:
      return end satisfies never;
  }
}
