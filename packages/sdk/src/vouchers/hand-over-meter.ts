import { LatentError } from '@latent/protocol';
import type { ClusterJournal } from '../clusters/cluster-journal.ts';
import type { ClusterRecord } from '../clusters/cluster-record.ts';

/**
 * Notes that another meter signs for the cluster from now on. The renter's own meter stops as soon as it looks, and nothing that
 * it signs in between is stored or sent: the voucher of what is returned is the last of this side.
 * @param again whether it may have been handed over before: to write a file anew that was lost
 * @throws LatentError CLUSTER_NOT_RUNNING, CLUSTER_HANDED_OVER
 */
export function handOverMeter(
  journal: Pick<ClusterJournal, 'update'>,
  name: string,
  { nowMs, again }: { readonly nowMs: number; readonly again: boolean },
): ClusterRecord {
  return journal.update(name, (record) => {
    if (record.phase !== 'running' || record.stopRequested !== null) {
      const state = record.phase === 'running' ? 'ending' : record.phase;
      throw new LatentError('CLUSTER_NOT_RUNNING', `${name} is ${state}; only a running cluster can be handed over.`, {
        hint: `See how it goes: latent status ${name}`,
      });
    }
    if (record.handedOverAtMs === undefined) return { ...record, handedOverAtMs: nowMs };
    if (again) return record;
    const when = new Date(record.handedOverAtMs).toISOString();
    throw new LatentError('CLUSTER_HANDED_OVER', `The meter of ${name} was handed over at ${when}.`, {
      hint: 'If that file was lost before anybody used it, write it again with --again. Two meters must never run.',
    });
  });
}
