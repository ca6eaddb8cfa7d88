import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { z } from 'zod';
import { StoreError, toStoreError } from './store-error.ts';

export type SqlValue = string | number | bigint | Uint8Array | null;

/**
 * A SQLite file, shared safely with other processes. Every call is synchronous and on the disk when it returns.
 * Every method throws StoreError.
 */
export interface Store {
  /** All rows, each parsed. Integers beyond 2^53 come as `bigint`, never rounded: see {@link integerColumn}. */
  all<Row extends z.ZodType>(sql: string, params: readonly SqlValue[], row: Row): z.output<Row>[];
  /** The first row, parsed; undefined if there is none. */
  get<Row extends z.ZodType>(sql: string, params: readonly SqlValue[], row: Row): z.output<Row> | undefined;
  /** Returns how many rows it changed. */
  run(sql: string, params?: readonly SqlValue[]): number;
  /**
   * Does all of the work or, if it throws, none. Takes the write lock first, so that what the work reads stays true until it
   * is committed. May be nested. The work must not be asynchronous: nobody else could use the store meanwhile.
   */
  transaction<Result>(work: () => Result): Result;
  close(): void;
}

export interface OpenStoreOptions {
  /** Made with mode 0600 where it is missing, as is its folder with 0700. */
  readonly path: string;
  /**
   * SQL scripts; the version of a file is how many it has seen. Append to the list, never change it.
   */
  readonly migrations: readonly string[];
  /** How long to wait for another process that is writing. Default 10 s. */
  readonly busyTimeoutMs?: number;
}

/** An INTEGER column that may exceed 2^53, as `bigint`. */
export const integerColumn = z.union([z.int(), z.bigint()]).transform((value) => BigInt(value));

/**
 * Opens a store and brings it up to the newest version.
 *
 * Write-ahead log, so that readers and the one writer do not wait for each other. `synchronous = FULL`: with NORMAL a
 * commit would survive `kill -9` too, but not a power cut, and what was promised to others must not be forgotten.
 * @throws StoreError
 */
export function openStore({ path, migrations, busyTimeoutMs = 10_000 }: OpenStoreOptions): Store {
  return guarded(path, () => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, 'a', 0o600));
    const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
    try {
      setUp(database, busyTimeoutMs);
      const store = createStore(database, path);
      migrate(database, store, path, migrations);
      return store;
    } catch (thrown) {
      database.close();
      throw thrown;
    }
  });
}

function setUp(database: DatabaseSync, busyTimeoutMs: number): void {
  // SQLite does not wait for locks here, though it does everywhere else: two processes may find a new file at once.
  for (let waitedMs = 0; ; waitedMs += 10) {
    try {
      database.exec('PRAGMA journal_mode = WAL');
      break;
    } catch (thrown) {
      if (toStoreError('', thrown).kind !== 'busy' || waitedMs >= busyTimeoutMs) throw thrown;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
  database.exec('PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF');
}

function migrate(database: DatabaseSync, store: Store, path: string, migrations: readonly string[]): void {
  const versionRow = z.object({ user_version: z.int() });
  store.transaction(() => {
    const version = store.get('PRAGMA user_version', [], versionRow)?.user_version ?? 0;
    if (version > migrations.length) {
      const text = `its version ${version} is newer than this program, which knows ${migrations.length}`;
      throw new StoreError('version', path, text);
    }
    for (const script of migrations.slice(version)) database.exec(script);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
  });
}

function createStore(database: DatabaseSync, path: string): Store {
  // As many as there are statements in the program's text.
  const statements = new Map<string, StatementSync>();
  let depth = 0;

  function prepare(sql: string): StatementSync {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    statements.set(sql, statement);
    return statement;
  }

  function transaction<Result>(work: () => Result): Result {
    const name = `level_${depth}`;
    guarded(path, () => database.exec(depth === 0 ? 'BEGIN IMMEDIATE' : `SAVEPOINT ${name}`));
    depth += 1;
    try {
      const result = work();
      if (result instanceof Promise) throw new StoreError('failed', path, 'a transaction must not be asynchronous');
      guarded(path, () => database.exec(depth === 1 ? 'COMMIT' : `RELEASE ${name}`));
      return result;
    } catch (thrown) {
      // A full disk, for one, has rolled back already.
      if (database.isTransaction) database.exec(depth === 1 ? 'ROLLBACK' : `ROLLBACK TO ${name}; RELEASE ${name}`);
      throw thrown;
    } finally {
      depth -= 1;
    }
  }

  return {
    all: (sql, params, row) =>
      guarded(path, () =>
        prepare(sql)
          .all(...params)
          .map((found) => parseRow(path, row, found)),
      ),
    get: (sql, params, row) =>
      guarded(path, () => {
        const found = prepare(sql).get(...params);
        return found === undefined ? undefined : parseRow(path, row, found);
      }),
    run: (sql, params = []) => guarded(path, () => Number(prepare(sql).run(...params).changes)),
    transaction,
    close: () => guarded(path, () => database.close()),
  };
}

function parseRow<Row extends z.ZodType>(path: string, schema: Row, found: Record<string, SQLOutputValue>) {
  const row = Object.fromEntries(Object.entries(found).map(([name, value]) => [name, toSafeNumber(value)]));
  const parsed = schema.safeParse(row);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const text = `a row does not fit: ${(issue?.path ?? []).map(String).join('.')}: ${issue?.message ?? ''}`;
  throw new StoreError('row', path, text, parsed.error);
}

function toSafeNumber(value: SQLOutputValue): SQLOutputValue {
  if (typeof value !== 'bigint') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function guarded<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (thrown) {
    throw toStoreError(path, thrown);
  }
}
