import { systemClock } from '@latent/kit';
import { type ClusterRecord, isOver } from '@latent/sdk';
import type { ClusterStore, StoredEvent } from '../home/cluster-store.ts';
import type { LatentHome } from '../home/latent-home.ts';
import { ensureMeter } from './spawn-meter.ts';

const POLL_MS = 200;

export interface FollowOptions {
  readonly home: LatentHome;
  readonly store: ClusterStore;
  readonly name: string;
  readonly signal: AbortSignal;
  /** Events with a higher number are shown. */
  readonly afterSeq?: number;
  readonly onEvent: (event: StoredEvent) => void;
  readonly onRecord?: (record: ClusterRecord) => void;
}

/** Follows a cluster's record and events until `isReached`, or its end. Starts its meter again should that have died. */
export async function waitForPhase(
  options: FollowOptions,
  isReached: (record: ClusterRecord) => boolean,
): Promise<ClusterRecord> {
  const { home, store, name, signal } = options;
  let seq = options.afterSeq ?? 0;
  for (;;) {
    const record = store.load(name);
    for (const event of store.eventsAfter(name, seq)) {
      seq = event.seq;
      options.onEvent(event);
    }
    options.onRecord?.(record);
    if (isOver(record) || isReached(record)) return record;
    ensureMeter(home, store, name);
    await systemClock.sleep(POLL_MS, { signal });
  }
}
