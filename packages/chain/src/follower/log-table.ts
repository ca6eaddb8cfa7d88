import type { SqlValue, Store } from '@latent/kit';
import { addressSchema, LatentError, type LeaseId } from '@latent/protocol';
import type { Address } from 'viem';
import { z } from 'zod';
import type { RawLog } from '../endpoints/chain-shapes.ts';
import { type DecodedEvent, decodeEvent, type EventAbis } from './decode-event.ts';
import type { ChainEvent } from './follower.ts';
import { type LogRow, logRow } from './follower-schema.ts';

export interface TimedLog extends RawLog {
  /** Of its block, unix seconds. */
  readonly timestamp: number;
}

type LogContent = Pick<RawLog, 'address' | 'topics' | 'data'>;

/** The logs as they came, and what they say. */
export interface LogTable {
  decode(log: LogContent): DecodedEvent;
  eventOf(row: LogRow): ChainEvent;
  /** Those that are on the chain, as far as is known. @param where continues the SQL, with the order */
  present(where: string, params: readonly SqlValue[]): readonly LogRow[];
  ofLease(leaseId: LeaseId, upTo: bigint): readonly ChainEvent[];
  /** Adds a log, or brings back one whose block has come back. @returns its row's id */
  keep(log: TimedLog): number;
  /** All above that block are on the chain no more. @returns them, the last first */
  drop(above: bigint): readonly LogRow[];
  leaseIdsOf(logs: readonly LogContent[]): ReadonlySet<LeaseId>;
  /** Decodes all logs anew. @returns every lease there is */
  decodeAnew(): ReadonlySet<LeaseId>;
}

const COLUMNS = 'id, block_number, block_hash, log_index, transaction_hash, address, topics, data, timestamp';
const idRow = z.object({ id: z.int() });
const contentRow = logRow.pick({ id: true, address: true, topics: true, data: true });

export function createLogTable(
  store: Store,
  { abis, operators }: { readonly abis: EventAbis; readonly operators: Address },
): LogTable {
  const operatorsAddress = addressSchema.parse(operators);
  const isOperators = ({ address }: Pick<RawLog, 'address'>) => address === operatorsAddress;
  const decode = (log: LogContent) => decodeEvent(isOperators(log) ? abis.operators : abis.escrow, log);
  const present = (where: string, params: readonly SqlValue[]) =>
    store.all(`SELECT ${COLUMNS} FROM follower_log WHERE is_present = 1 AND ${where}`, params, logRow);

  function eventOf(row: LogRow): ChainEvent {
    const raw = rawOf(row);
    const contract = isOperators(raw) ? 'operators' : 'escrow';
    return { ...decode(raw), contract, timestamp: row.timestamp, raw };
  }

  function keep(log: TimedLog): number {
    store.run(
      `INSERT INTO follower_log (block_number, block_hash, log_index, transaction_hash, address, topics, data, timestamp, lease_id, is_present)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (block_hash, log_index) DO UPDATE SET is_present = 1, transaction_hash = excluded.transaction_hash,
         address = excluded.address, topics = excluded.topics, data = excluded.data, lease_id = excluded.lease_id`,
      [
        ...[log.blockNumber, log.blockHash, log.logIndex, log.transactionHash, log.address],
        ...[JSON.stringify(log.topics), log.data, log.timestamp, decode(log).leaseId ?? null],
      ],
    );
    const place = [log.blockHash, log.logIndex];
    const row = store.get('SELECT id FROM follower_log WHERE block_hash = ? AND log_index = ?', place, idRow);
    if (row === undefined) throw new LatentError('STORE_FAILED', 'A log that was just written is not there.');
    return row.id;
  }

  return {
    decode,
    eventOf,
    present,
    ofLease: (leaseId, upTo) =>
      present('lease_id = ? AND block_number <= ? ORDER BY block_number, log_index', [leaseId, upTo]).map(eventOf),
    keep,
    drop: (above) => {
      const gone = present('block_number > ? ORDER BY block_number DESC, log_index DESC', [above]);
      store.run('UPDATE follower_log SET is_present = 0 WHERE is_present = 1 AND block_number > ?', [above]);
      return gone;
    },
    leaseIdsOf: (logs) => new Set(logs.flatMap((log) => decode(log).leaseId ?? [])),
    decodeAnew: () => {
      const found = new Set<LeaseId>();
      for (const row of store.all('SELECT id, address, topics, data FROM follower_log', [], contentRow)) {
        const { leaseId } = decode(row);
        store.run('UPDATE follower_log SET lease_id = ? WHERE id = ?', [leaseId ?? null, row.id]);
        if (leaseId !== undefined) found.add(leaseId);
      }
      return found;
    },
  };
}

export function rawOf(row: LogRow): RawLog {
  return {
    address: row.address,
    topics: row.topics,
    data: row.data,
    blockNumber: row.block_number,
    blockHash: row.block_hash,
    transactionHash: row.transaction_hash,
    logIndex: row.log_index,
  };
}
