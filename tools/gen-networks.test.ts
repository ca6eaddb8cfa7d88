import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { HOME_KINDS } from '../bench/nat/home-kinds.ts';
import { generateNetworks } from './gen-networks.ts';
import { ROOT } from './run-command.ts';

const PATH = 'docs/reference/networks.md';
const RESULTS = join(ROOT, 'bench/results');
const [page = ''] = (await generateNetworks()).values();
const latest = (await readdir(RESULTS))
  .filter((name) => name.startsWith('nat-'))
  .sort()
  .at(-1);
const { tables } = z
  .object({
    tables: z.array(
      z.object({
        title: z.string(),
        rows: z.array(z.object({ name: z.string(), figures: z.array(z.number().nullable()) })),
      }),
    ),
  })
  .parse(JSON.parse(await readFile(join(RESULTS, latest ?? ''), 'utf8')));
const rows = page
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
  .filter((cells) => cells.length === 8);

describe('the page of networks', () => {
  it('is what is written', async () => {
    expect(await readFile(join(ROOT, PATH), 'utf8')).toBe(page);
  });

  it('says of every kind what it is', () => {
    for (const kind of HOME_KINDS) expect(page).toMatch(new RegExp(`^\\| \`${kind}\` \\| [A-Z].+\\. \\|$`, 'm'));
  });

  it('has each kind before each, with the way and the figures of the newest result', () => {
    const measured = tables.flatMap(({ title, rows: all }) => all.map((row) => ({ ...row, way: title.toLowerCase() })));
    expect(measured).toHaveLength(HOME_KINDS.length ** 2);
    for (const { name, figures, way } of measured) {
      const found = rows.filter(([, from, to]) => `${from} → ${to}` === name);
      expect(found).toHaveLength(1);
      expect(found[0]?.[3]).toBe(way);
      const shown = found[0]?.slice(4, 7).flatMap((cell) => (cell === 'never' ? [] : [cell]));
      expect(shown?.map((cell) => cell.split(' ')[0])).toEqual(
        figures.map((figure) => (figure === null ? 'not' : Math.round(figure).toLocaleString('en-US'))),
      );
    }
  });
});
