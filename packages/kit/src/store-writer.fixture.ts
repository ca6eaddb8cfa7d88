import { writeSync } from 'node:fs';
import { z } from 'zod';
import { openStore } from './store.ts';

/** A process that writes to a store, for tests that need several of them or kill one. */
const [, , act, path = '', times = '0'] = process.argv;

const store = openStore({
  path,
  migrations: [
    'CREATE TABLE counter (value INTEGER NOT NULL) STRICT; INSERT INTO counter VALUES (0);',
    'CREATE TABLE halves (id INTEGER NOT NULL, half TEXT NOT NULL, PRIMARY KEY (id, half)) STRICT;',
  ],
});

function say(line: string): void {
  // At once: a line that was said has happened, whatever becomes of the process.
  writeSync(1, `${line}\n`);
}

function increment(): void {
  store.transaction(() => {
    const value = store.get('SELECT value FROM counter', [], z.object({ value: z.int() }))?.value ?? 0;
    store.run('UPDATE counter SET value = ?', [value + 1]);
  });
}

function writePairs(): never {
  for (let id = 0; ; id += 1) {
    store.transaction(() => {
      store.run("INSERT INTO halves VALUES (?, 'first')", [id]);
      store.run("INSERT INTO halves VALUES (?, 'second')", [id]);
    });
    say(`${id}`);
  }
}

function stayInTransaction(): void {
  store.transaction(() => {
    store.run("INSERT INTO halves VALUES (0, 'first')");
    say('inside');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
}

if (act === 'increment') for (let index = 0; index < Number(times); index += 1) increment();
if (act === 'pairs') writePairs();
if (act === 'stay') stayInTransaction();
store.close();
