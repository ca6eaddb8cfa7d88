import type { Logger, Store } from '@latent/kit';
import { LatentError, type LeaseId } from '@latent/protocol';
import { z } from 'zod';
import type { ChainEvent, ChainHead, FollowedLease, View } from './follower.ts';
import { followedLeaseSchema, projectLease } from './project-lease.ts';

/** Every lease in both views, as the logs that are present make it. */
export interface LeaseTable {
  find(view: View, leaseId: LeaseId): FollowedLease | undefined;
  /** Neither closed nor unknown, the oldest first. */
  open(view: View): readonly FollowedLease[];
  /** Those whose opening is not in the log. */
  unknown(view: View): readonly LeaseId[];
  /** Makes these leases anew from the log. Inside of a transaction. */
  project(view: View, leaseIds: ReadonlySet<LeaseId>): void;
}

export interface LeaseTableOptions {
  readonly store: Store;
  readonly logger: Logger;
  readonly head: (view: View) => ChainHead | undefined;
  readonly leaseEvents: (leaseId: LeaseId, upTo: bigint) => readonly ChainEvent[];
}

const recordRow = z.object({
  record: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(followedLeaseSchema),
});

export function createLeaseTable({ store, logger, head, leaseEvents }: LeaseTableOptions): LeaseTable {
  function project(view: View, leaseId: LeaseId): void {
    const events = leaseEvents(leaseId, head(view)?.number ?? -1n);
    const lease = projectLease(leaseId, events);
    const [first] = events;
    store.run('DELETE FROM follower_lease WHERE view = ? AND lease_id = ?', [view, leaseId]);
    if (lease === undefined || first === undefined) return;
    if (lease.state === 'unknown') {
      const fields = { leaseId, event: first.name, block: first.raw.blockNumber };
      logger.error(fields, 'a lease has events but was never opened: an endpoint has lost logs');
    }
    const { blockNumber, logIndex } = first.raw;
    const record = JSON.stringify(lease, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));
    store.run('INSERT INTO follower_lease VALUES (?, ?, ?, ?, ?, ?)', [
      ...[view, leaseId, lease.state, blockNumber, logIndex, record],
    ]);
  }

  return {
    find: (view, leaseId) =>
      store.get('SELECT record FROM follower_lease WHERE view = ? AND lease_id = ?', [view, leaseId], recordRow)
        ?.record,
    open: (view) => {
      const sql = `SELECT record FROM follower_lease WHERE view = ? AND state IN ('active', 'stopping') ORDER BY first_block, first_index`;
      return store.all(sql, [view], recordRow).map(({ record }) => record);
    },
    unknown: (view) => {
      const sql =
        "SELECT record FROM follower_lease WHERE view = ? AND state = 'unknown' ORDER BY first_block, first_index";
      return store.all(sql, [view], recordRow).map(({ record }) => record.leaseId);
    },
    project: (view, leaseIds) => {
      for (const leaseId of leaseIds) project(view, leaseId);
    },
  };
}

/** The log itself shows that logs are missing. */
export function lostLogs(leaseIds: readonly LeaseId[]): LatentError {
  return new LatentError(
    'CHAIN_DISAGREES',
    `The log has events of ${leaseIds.length} leases that it never opened, ${leaseIds[0]} for one: an endpoint has lost logs.`,
    {
      hint: 'Name another endpoint, remove the store of the follower, and let it read the log again.',
      details: { leaseIds: leaseIds.slice(0, 10) },
    },
  );
}
