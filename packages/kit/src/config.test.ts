import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError, loadConfig, processEnvironment } from './config.ts';

const schema = z.object({
  port: z.coerce.number().int().min(0).max(65_535).default(0),
  dataDir: z.string().min(1),
  keySecret: z.string().optional(),
});

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'));
  file = join(folder, 'config.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function errorOf(promise: Promise<unknown>): Promise<ConfigError> {
  const thrown = await promise.catch((error: unknown) => error);
  return thrown instanceof ConfigError ? thrown : expect.unreachable(`no ConfigError: ${String(thrown)}`);
}

test.each([
  [{ port: '1' }, { APP_PORT: '2' }, { port: 3 }, 1, 'flag', '--port'],
  [{}, { APP_PORT: '2' }, { port: 3 }, 2, 'env', 'APP_PORT'],
  [{ port: undefined }, { APP_PORT: '' }, { port: 3 }, 3, 'file', undefined],
  [{}, {}, {}, 0, 'default', 'default'],
] as const)(
  'of flags %j, variables %j and file %j the strongest wins',
  async (flags, env, inFile, port, source, name) => {
    writeFileSync(file, JSON.stringify({ ...inFile, dataDir: '/data' }));
    const config = await loadConfig({ schema, flags, env, envPrefix: 'APP', file });
    expect(config.values).toEqual({ port, dataDir: '/data' });
    expect(config.origins.get('port')).toMatchObject({ source, name: name ?? file });
  },
);

test('a field of two words has a variable and a flag of two words', async () => {
  const byVariable = await loadConfig({ schema, flags: {}, env: { APP_DATA_DIR: '/x' }, envPrefix: 'APP' });
  expect(byVariable.values.dataDir).toBe('/x');
  const byFlag = await loadConfig({ schema, flags: { dataDir: '/y' }, env: {}, envPrefix: 'APP' });
  expect(byFlag.origins.get('dataDir')?.name).toBe('--data-dir');
});

test('every fault is named with the place it came from', async () => {
  const error = await errorOf(
    loadConfig({ schema, flags: { port: 'many' }, env: { APP_DATA_DIR: '' }, envPrefix: 'APP' }),
  );
  expect(error.faults).toEqual([
    expect.stringContaining('port (--port): '),
    expect.stringContaining('dataDir (not given): '),
  ]);
});

test('a key of the file that is no setting is refused', async () => {
  writeFileSync(file, JSON.stringify({ dataDir: '/data', prot: 1 }));
  const error = await errorOf(loadConfig({ schema, flags: {}, env: {}, envPrefix: 'APP', file }));
  expect(error.faults).toEqual([`prot (${file}): no such setting`]);
});

test.each(['[1]', '{', 'null', ''])('a file that holds %j is refused', async (text) => {
  writeFileSync(file, text);
  const error = await errorOf(loadConfig({ schema, flags: {}, env: {}, envPrefix: 'APP', file }));
  expect(error.faults).toEqual([`${file}: not a JSON object`]);
});

test('a missing file is no fault unless it was asked for', async () => {
  const options = { schema, flags: { dataDir: '/x' }, env: {}, envPrefix: 'APP', file };
  expect((await loadConfig(options)).values.dataDir).toBe('/x');
  expect((await errorOf(loadConfig({ ...options, fileRequired: true }))).faults[0]).toContain('no such file');
});

test('the description names every setting and its source, and shows no secret', async () => {
  const config = await loadConfig({
    schema,
    flags: { dataDir: '/x' },
    env: { APP_KEY_SECRET: 'hunter2' },
    envPrefix: 'APP',
  });
  expect(config.describe()).toEqual([
    'port = 0 (default)',
    'dataDir = "/x" (--data-dir)',
    'keySecret = [secret] (APP_KEY_SECRET)',
  ]);
});

test('without an environment of its own the process has one', async () => {
  expect(processEnvironment()['PATH']).toBeTypeOf('string');
  const path = z.object({ path: z.string() });
  const config = await loadConfig({ schema: path, flags: { path: 'flag' }, envPrefix: 'APP' });
  expect(config.values.path).toBe('flag');
});
