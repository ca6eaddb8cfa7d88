import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { createLogger, silentLogger } from './logger.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'logger-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function linesOf(file: string): Record<string, unknown>[] {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => z.record(z.string(), z.unknown()).parse(JSON.parse(line)));
}

test('each line is one object with name, level, time, message and fields, there at once', () => {
  const file = join(folder, 'deep', 'a.log');
  const logger = createLogger({ name: 'agent', level: 'info', destination: { file } });
  logger.info({ lease: '0x1', units: 2n ** 64n }, 'member moved');
  expect(linesOf(file)).toEqual([
    expect.objectContaining({
      name: 'agent',
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as unknown,
      msg: 'member moved',
      lease: '0x1',
      units: '18446744073709551616',
    }),
  ]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('only lines of the level and above are written, and a second logger appends', () => {
  const file = join(folder, 'a.log');
  const first = createLogger({ name: 'one', level: 'warn', destination: { file } });
  first.debug({}, 'debug');
  first.info({}, 'info');
  first.warn({}, 'warn');
  first.error({}, 'error');
  createLogger({ name: 'two', level: 'debug', destination: { file } }).debug({}, 'debug');
  expect(linesOf(file).map((line) => [line['name'], line['msg']])).toEqual([
    ['one', 'warn'],
    ['one', 'error'],
    ['two', 'debug'],
  ]);
});

test('a secret does not reach the file, and a line break in a value makes no second line', () => {
  const file = join(folder, 'a.log');
  const logger = createLogger({ name: 'one', level: 'info', destination: { file } });
  logger.info({ identity: { secretKey: 'hunter2' }, said: 'a\n{"level":"error"}' }, 'hello');
  expect(readFileSync(file, 'utf8')).not.toContain('hunter2');
  expect(linesOf(file)).toHaveLength(1);
});

test('the silent logger takes anything', () => {
  for (const log of Object.values(silentLogger)) expect(log({ any: 1n }, 'thing')).toBeUndefined();
});
