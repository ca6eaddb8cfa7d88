import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { keeperOptionsSchema, watchtowerOptionsSchema } from './options.ts';
import { readSettings } from './read-settings.ts';

const GUIDE = join(import.meta.dirname, '../../../docs/guide/keeper.md');

async function exampleOf(kind: string): Promise<Record<string, unknown>> {
  const [, text = ''] = new RegExp(`\`\`\`json ${kind}\n([^\`]*)\`\`\``).exec(await readFile(GUIDE, 'utf8')) ?? [];
  return JSON.parse(text);
}

async function inFile<Result>(content: string, work: (path: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'latent-settings-'));
  try {
    const path = join(folder, 'settings.json');
    await writeFile(path, content);
    return await work(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe('settings', () => {
  it('are what the guide shows', async () => {
    const keeper = await inFile(JSON.stringify(await exampleOf('keeper')), (path) =>
      readSettings(path, keeperOptionsSchema),
    );
    expect(keeper).toMatchObject({ minWorth: 20_000_000n, gasTimes: 1_000, patienceSeconds: 300, confirmations: 3 });
    expect(watchtowerOptionsSchema.parse(await exampleOf('watchtower'))).toMatchObject({
      for: 'all',
      patienceSeconds: 600,
    });
  });

  it('are all named in the guide', async () => {
    const guide = await readFile(GUIDE, 'utf8');
    for (const name of Object.keys(keeperOptionsSchema.parse(await exampleOf('keeper'))))
      expect(guide).toContain(`\`${name}\``);
  });

  it.each([
    ['an unknown name', { minWorht: '1' }],
    ['everybody without a budget', { for: 'all' }],
    ['nobody', { for: [] }],
    ['ether for nothing', { unitsPerEther: '0' }],
    ['less than the gas', { gasTimes: 0 }],
    ['a negative amount', { minWorth: '-1' }],
  ])('are refused with %s', async (_, change) => {
    const content = JSON.stringify({ ...(await exampleOf('keeper')), ...change });
    await expect(inFile(content, (path) => readSettings(path, keeperOptionsSchema))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });

  it('are refused when there is no such file, or it is not JSON', async () => {
    await expect(readSettings('/nowhere/keeper.json', keeperOptionsSchema)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    await expect(inFile('{', (path) => readSettings(path, keeperOptionsSchema))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });
});
