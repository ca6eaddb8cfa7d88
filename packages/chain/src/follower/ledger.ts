import type { Logger, Store } from '@latent/kit';
import { type Deployment, LatentError } from '@latent/protocol';
import type { Hex } from 'viem';
import { z } from 'zod';
import type { RawLog } from '../endpoints/chain-shapes.ts';
import { digestOfEvents, type EventAbis } from './decode-event.ts';
import type { ChainEvent, ChainHead, View } from './follower.ts';
import { blockRow, headRow, type LogRow } from './follower-schema.ts';
import { createLeaseTable, type LeaseTable } from './lease-table.ts';
import { createLogTable, type LogTable, rawOf, type TimedLog } from './log-table.ts';

export interface KeptBlock extends ChainHead {
  /** Name of the endpoint that its logs are from. */
  readonly servedBy: string;
}

export interface Extension {
  /** Hash of the head that was built on, as it was when the chain was asked; undefined for the first. */
  readonly onto: Hex | undefined;
  readonly blocks: readonly KeptBlock[];
  readonly logs: readonly TimedLog[];
  /** Keep the last block for ever: it is the end of a range, between which nothing is known. */
  readonly isRange: boolean;
}

/** What the follower knows, in SQLite. Every method that writes does all of it in one transaction, or nothing. */
export interface Ledger {
  readonly leases: LeaseTable;
  head(view: View): ChainHead | undefined;
  /** The highest block at or below `number` whose hash is kept. */
  keptAtOrBelow(number: bigint): KeptBlock | undefined;
  /** Logs of a range, both ends included, in the chain's order. */
  logsBetween(from: bigint, to: bigint): readonly RawLog[];
  events(
    view: View,
    after: { readonly block: bigint; readonly logIndex: number },
    limit: number,
  ): readonly ChainEvent[];
  eventOf(row: LogRow): ChainEvent;
  /** @returns whether it was done: not if somebody else moved the head meanwhile */
  extend(extension: Extension): boolean;
  /** Takes back all above `to`; undefined: all there is. `onto` as in {@link Extension}. */
  rewind(onto: Hex | undefined, to: ChainHead | undefined): boolean;
  /** Blocks up to this one have been confirmed. @returns whether it was done: not if the block is not kept any more */
  confirm(head: ChainHead): boolean;
  /** All of the work, or nothing. */
  transaction<Result>(work: () => Result): Result;
}

export interface LedgerOptions {
  readonly store: Store;
  readonly logger: Logger;
  readonly deployment: Pick<Deployment, 'chainId' | 'escrow' | 'operators' | 'deployedAtBlock'>;
  readonly abis: EventAbis;
  readonly windowBlocks: bigint;
}

/** One block in so many is kept for ever, so that there is always one to go back to. */
const ANCHOR_EVERY = 1_024n;
const ALL_VIEWS: readonly View[] = ['latest', 'confirmed'];
const metaRow = z.object({ value: z.string() });

/** @throws LatentError CONFIG_INVALID if the store holds another deployment */
export function openLedger(options: LedgerOptions): Ledger {
  const { store, logger, deployment, abis, windowBlocks } = options;
  const logs = createLogTable(store, { abis, operators: deployment.operators });
  const { head, setHead } = openHeads(store);
  const leases = createLeaseTable({ store, logger, head, leaseEvents: logs.ofLease });
  const note = (view: View, kind: 'new' | 'reverted', id: number) =>
    store.run('INSERT INTO follower_change (view, kind, log_id) VALUES (?, ?, ?)', [view, kind, id]);

  const extend: Ledger['extend'] = ({ onto, blocks, logs: added, isRange }) =>
    store.transaction(() => {
      const last = blocks.at(-1);
      if (head('latest')?.hash !== onto || last === undefined) return false;
      for (const block of blocks) {
        const isAnchor = (isRange && block === last) || block.number % ANCHOR_EVERY === 0n;
        const row = [block.number, block.hash, block.timestamp, Number(isAnchor), block.servedBy];
        store.run('INSERT INTO follower_block VALUES (?, ?, ?, ?, ?)', row);
      }
      for (const log of added) note('latest', 'new', logs.keep(log));
      setHead('latest', last);
      // What is not confirmed is still to be compared.
      const confirmed = head('confirmed')?.number ?? -1n;
      const keepFrom = confirmed < last.number - windowBlocks ? confirmed : last.number - windowBlocks;
      store.run('DELETE FROM follower_block WHERE is_anchor = 0 AND number < ?', [keepFrom]);
      leases.project('latest', logs.leaseIdsOf(added));
      return true;
    });

  const rewind: Ledger['rewind'] = (onto, to) =>
    store.transaction(() => {
      if (head('latest')?.hash !== onto) return false;
      const above = to?.number ?? -1n;
      const confirmed = head('confirmed');
      const gone = logs.drop(above);
      store.run('DELETE FROM follower_block WHERE number > ?', [above]);
      for (const { id } of gone) note('latest', 'reverted', id);
      setHead('latest', to);
      if (confirmed !== undefined && confirmed.number > above) {
        for (const row of gone) if (row.block_number <= confirmed.number) note('confirmed', 'reverted', row.id);
        setHead('confirmed', to);
      }
      for (const view of ALL_VIEWS) leases.project(view, logs.leaseIdsOf(gone));
      return true;
    });

  const confirm: Ledger['confirm'] = (to) =>
    store.transaction(() => {
      const from = head('confirmed')?.number ?? -1n;
      const kept = findKept(store, to.number);
      if (kept?.hash !== to.hash || to.number <= from) return false;
      const range = 'block_number > ? AND block_number <= ? ORDER BY block_number, log_index';
      const found = logs.present(range, [from, to.number]);
      for (const { id } of found) note('confirmed', 'new', id);
      setHead('confirmed', to);
      leases.project('confirmed', logs.leaseIdsOf(found));
      return true;
    });

  claimStore(store, deployment);
  projectAnew(store, { digest: digestOfEvents(abis), logs, leases });
  return {
    leases,
    head,
    keptAtOrBelow: (number) => findKept(store, number),
    logsBetween: (from, to) =>
      logs.present('block_number >= ? AND block_number <= ? ORDER BY block_number, log_index', [from, to]).map(rawOf),
    events: (view, { block, logIndex }, limit) => {
      const upTo = head(view)?.number ?? -1n;
      const where = '(block_number, log_index) > (?, ?) AND block_number <= ? ORDER BY block_number, log_index LIMIT ?';
      return logs.present(where, [block, logIndex, upTo, limit]).map(logs.eventOf);
    },
    eventOf: logs.eventOf,
    extend,
    rewind,
    confirm,
    transaction: store.transaction,
  };
}

function openHeads(store: Store) {
  return {
    head: (view: View): ChainHead | undefined =>
      store.get('SELECT number, hash, timestamp FROM follower_head WHERE view = ?', [view], headRow),
    setHead: (view: View, to: ChainHead | undefined) => {
      store.run('DELETE FROM follower_head WHERE view = ?', [view]);
      if (to === undefined) return;
      store.run('INSERT INTO follower_head VALUES (?, ?, ?, ?)', [view, to.number, to.hash, to.timestamp]);
    },
  };
}

function findKept(store: Store, number: bigint): KeptBlock | undefined {
  const columns = 'number, hash, timestamp, served_by';
  const sql = `SELECT ${columns} FROM follower_block WHERE number <= ? ORDER BY number DESC LIMIT 1`;
  const row = store.get(sql, [number], blockRow);
  if (row === undefined) return undefined;
  const { served_by: servedBy, ...block } = row;
  return { ...block, servedBy };
}

/** One store, one deployment: logs of another one would be mixed in. */
function claimStore(store: Store, { chainId, escrow, operators, deployedAtBlock }: LedgerOptions['deployment']): void {
  const identity = [chainId, escrow, operators, deployedAtBlock].join(' ').toLowerCase();
  store.run("INSERT INTO follower_meta VALUES ('deployment', ?) ON CONFLICT DO NOTHING", [identity]);
  const known = store.get("SELECT value FROM follower_meta WHERE name = 'deployment'", [], metaRow)?.value;
  if (known === identity) return;
  throw new LatentError('CONFIG_INVALID', `The store follows another deployment: ${known}, not ${identity}.`, {
    hint: 'Use a store of its own for each deployment.',
  });
}

interface Projected {
  readonly digest: string;
  readonly logs: LogTable;
  readonly leases: LeaseTable;
}

/** Another version of the program may know more events, or read them otherwise: leases are made anew from the raw logs. */
function projectAnew(store: Store, { digest, logs, leases }: Projected): void {
  store.transaction(() => {
    const known = store.get("SELECT value FROM follower_meta WHERE name = 'events'", [], metaRow)?.value;
    if (known === digest) return;
    const found = logs.decodeAnew();
    store.run('DELETE FROM follower_lease');
    for (const view of ALL_VIEWS) leases.project(view, found);
    const sql =
      "INSERT INTO follower_meta VALUES ('events', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    store.run(sql, [digest]);
  });
}
