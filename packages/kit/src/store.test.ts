import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { integerColumn, openStore, type Store } from './store.ts';
import { StoreError } from './store-error.ts';

let folder: string;
const opened: Store[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'store-'));
});
afterEach(() => {
  for (const store of opened.splice(0)) store.close();
  rmSync(folder, { recursive: true, force: true });
});

const things = 'CREATE TABLE things (name TEXT PRIMARY KEY, amount INTEGER NOT NULL CHECK (amount >= 0)) STRICT;';
const thingRow = z.object({ name: z.string(), amount: z.int() });

function open(migrations: readonly string[] = [things], name = 'a.sqlite', busyTimeoutMs = 10_000): Store {
  const store = openStore({ path: join(folder, name), migrations, busyTimeoutMs });
  opened.push(store);
  return store;
}

function errorOf(work: () => unknown): StoreError {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof StoreError) return thrown;
    throw thrown;
  }
  return expect.unreachable('it did not throw');
}

function startWriter(...args: readonly string[]): ChildProcess {
  const script = fileURLToPath(new URL('./store-writer.fixture.ts', import.meta.url));
  return spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Kills the process, as hard as it goes, once it has said `count` lines. Returns all that it said. */
async function killAfterLines(child: ChildProcess, count: number): Promise<string[]> {
  const lines: string[] = [];
  const closed = once(child, 'close');
  for await (const line of createInterface({ input: child.stdout! })) {
    lines.push(line);
    if (lines.length === count) child.kill('SIGKILL');
  }
  await closed;
  return lines;
}

describe('rows', () => {
  test('come back parsed, and are found again after reopening', () => {
    open().run('INSERT INTO things VALUES (?, ?)', ['one', 1]);
    const store = open();
    expect(store.all('SELECT * FROM things', [], thingRow)).toEqual([{ name: 'one', amount: 1 }]);
    expect(store.get('SELECT * FROM things WHERE name = ?', ['one'], thingRow)).toEqual({ name: 'one', amount: 1 });
    expect(store.get('SELECT * FROM things WHERE name = ?', ['two'], thingRow)).toBeUndefined();
    expect(store.run('UPDATE things SET amount = 2')).toBe(1);
  });

  test('every 64-bit integer comes back exactly', () => {
    const store = open(['CREATE TABLE numbers (value INTEGER) STRICT']);
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        store.run('DELETE FROM numbers');
        store.run('INSERT INTO numbers VALUES (?)', [value]);
        expect(store.get('SELECT value FROM numbers', [], z.object({ value: integerColumn }))).toEqual({ value });
      }),
    );
  });

  test('bytes and nulls come back', () => {
    const store = open(['CREATE TABLE blobs (value BLOB, missing TEXT) STRICT']);
    store.run('INSERT INTO blobs VALUES (?, ?)', [new Uint8Array([1, 2]), null]);
    const row = z.object({ value: z.instanceof(Uint8Array), missing: z.null() });
    expect(store.all('SELECT * FROM blobs', [], row)).toEqual([{ value: new Uint8Array([1, 2]), missing: null }]);
  });
});

describe('errors', () => {
  test('a row that does not fit its schema names the column', () => {
    const store = open();
    store.run("INSERT INTO things VALUES ('one', 1)");
    const error = errorOf(() => store.all('SELECT * FROM things', [], z.object({ amount: z.string() })));
    expect([error.kind, error.message]).toEqual(['row', expect.stringContaining('amount')]);
  });

  test.each([
    ['a check', "INSERT INTO things VALUES ('one', -1)", 'constraint'],
    ['a key taken', "INSERT INTO things VALUES ('taken', 1)", 'constraint'],
    ['a type', "INSERT INTO things VALUES ('one', 'many')", 'constraint'],
    ['wrong SQL', 'INSERT INTO nothing', 'failed'],
  ])('%s has its kind', (_name, sql, kind) => {
    const store = open();
    store.run("INSERT INTO things VALUES ('taken', 1)");
    expect(errorOf(() => store.run(sql)).kind).toBe(kind);
  });

  test('an integer beyond 64 bits is refused, not cut', () => {
    expect(errorOf(() => open().run('INSERT INTO things VALUES (?, ?)', ['big', 2n ** 63n])).kind).toBe('failed');
  });

  test('a file that is no store is named corrupt', () => {
    writeFileSync(join(folder, 'a.sqlite'), 'x'.repeat(5000));
    const error = errorOf(() => open());
    expect([error.kind, error.path]).toEqual(['corrupt', join(folder, 'a.sqlite')]);
  });

  test('a writer that cannot have the lock in time is busy, and can try again', () => {
    const first = open();
    const second = open([things], 'a.sqlite', 20);
    first.transaction(() => {
      expect(errorOf(() => second.run("INSERT INTO things VALUES ('x', 1)")).kind).toBe('busy');
    });
    expect(second.run("INSERT INTO things VALUES ('x', 1)")).toBe(1);
  });
});

describe('migrations', () => {
  test('run once each, in order, also on a file that has seen only some', () => {
    open([things]).run("INSERT INTO things VALUES ('kept', 1)");
    const more = 'ALTER TABLE things ADD COLUMN colour TEXT NOT NULL DEFAULT "red"'.replaceAll('"', "'");
    const row = z.object({ name: z.string(), colour: z.string() });
    for (const store of [open([things, more]), open([things, more])]) {
      expect(store.all('SELECT name, colour FROM things', [], row)).toEqual([{ name: 'kept', colour: 'red' }]);
    }
  });

  test('one that fails leaves the file at the version before', () => {
    open([things]);
    expect(errorOf(() => open([things, 'CREATE TABLE more (x INTEGER) STRICT; NONSENSE'])).kind).toBe('failed');
    expect(open([things, 'CREATE TABLE more (x INTEGER) STRICT']).run('INSERT INTO more VALUES (1)')).toBe(1);
  });

  test('a file of a newer program is left alone', () => {
    open([things, 'CREATE TABLE more (x INTEGER) STRICT']);
    expect(errorOf(() => open([things])).kind).toBe('version');
  });
});

describe('transactions', () => {
  const names = (store: Store) => store.all('SELECT * FROM things ORDER BY name', [], thingRow).map((row) => row.name);

  test('return what the work returns', () => {
    expect(open().transaction(() => 7)).toBe(7);
  });

  test('that throw leave nothing, and pass on the error as it is', () => {
    const store = open();
    const error = new RangeError('mine');
    const work = () =>
      store.transaction(() => {
        store.run("INSERT INTO things VALUES ('x', 1)");
        throw error;
      });
    expect(work).toThrow(error);
    expect(names(store)).toEqual([]);
  });

  test('inside another undo only their own work', () => {
    const store = open();
    store.transaction(() => {
      store.run("INSERT INTO things VALUES ('outer', 1)");
      expect(() =>
        store.transaction(() => {
          store.run("INSERT INTO things VALUES ('inner', 1)");
          throw new Error('inner');
        }),
      ).toThrow('inner');
      store.transaction(() => store.run("INSERT INTO things VALUES ('second', 1)"));
    });
    expect(names(store)).toEqual(['outer', 'second']);
  });

  test('must not be asynchronous', () => {
    const store = open();
    const error = errorOf(() => store.transaction(async () => store.run("INSERT INTO things VALUES ('x', 1)")));
    expect(error.kind).toBe('failed');
    expect(names(store)).toEqual([]);
  });
});

describe('several processes', () => {
  const counterRow = z.object({ value: z.int() });

  test('that find a new file at once and count together lose no count', async () => {
    const path = join(folder, 'shared.sqlite');
    const writers = [1, 2, 3].map(() => startWriter('increment', path, '50'));
    const codes = await Promise.all(writers.map(async (writer) => (await once(writer, 'close'))[0] as unknown));
    expect(codes).toEqual([0, 0, 0]);
    const store = open(['', ''], 'shared.sqlite');
    expect(store.get('SELECT value FROM counter', [], counterRow)).toEqual({ value: 150 });
  });

  test('one killed between and within commits loses nothing committed and leaves nothing half', async () => {
    const path = join(folder, 'killed.sqlite');
    const said = await killAfterLines(startWriter('pairs', path), 40);
    const store = open(['', ''], 'killed.sqlite');
    const halves = store.all('SELECT id, half FROM halves', [], z.object({ id: z.int(), half: z.string() }));
    const first = halves.filter((row) => row.half === 'first').map((row) => row.id);
    const second = halves.filter((row) => row.half === 'second').map((row) => row.id);
    expect(said.length).toBeGreaterThanOrEqual(40);
    expect(first).toEqual(expect.arrayContaining(said.map(Number)));
    expect(second).toEqual(first);
  });

  test('one killed within a transaction leaves no trace and no lock', async () => {
    const path = join(folder, 'killed.sqlite');
    expect(await killAfterLines(startWriter('stay', path), 1)).toEqual(['inside']);
    const store = open(['', ''], 'killed.sqlite', 0);
    expect(store.run("INSERT INTO halves VALUES (0, 'first')")).toBe(1);
  });

  test('a new file is closed to other users', () => {
    open([things], 'deep/private.sqlite');
    expect(statSync(join(folder, 'deep/private.sqlite')).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'deep')).mode & 0o777).toBe(0o700);
  });
});
