import type { ClusterRecord } from './cluster-record.ts';

/** Something worth telling, in order. */
export interface ClusterEvent {
  readonly kind: 'phase' | 'member' | 'transaction' | 'warning' | 'files';
  readonly text: string;
}

/**
 * Where a renter's clusters are kept. Several processes use it at once (the meter of each cluster, and commands): every
 * method is atomic.
 */
export interface ClusterJournal {
  /** @throws LatentError CLUSTER_UNKNOWN */
  load(name: string): ClusterRecord;
  /** Reads, changes and writes in one transaction. @returns what was written */
  update(name: string, change: (record: ClusterRecord) => ClusterRecord): ClusterRecord;
  tell(name: string, event: ClusterEvent): void;
}
