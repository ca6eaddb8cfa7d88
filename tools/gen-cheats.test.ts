import { cheats, variants, weaknesses } from '@latent/proof/cheats';
import { expect, it } from 'vitest';
import { generateCheats } from './gen-cheats.ts';

const [page = ''] = (await generateCheats()).values();
const rows = page.split('\n').filter((line) => line.startsWith('| '));

it('gives every cheat, variant and weakness one row, with as many cells as its head', () => {
  for (const [names, cells] of [
    [cheats.map(({ name }) => name), 8],
    [variants.map(({ name }) => name), 6],
    [weaknesses.map(({ name }) => name), 4],
  ] as const) {
    for (const name of names) {
      const [row = '', ...more] = rows.filter((line) => line.startsWith(`| ${name} |`));
      expect(more).toEqual([]);
      expect(row.split(' | ')).toHaveLength(cells);
    }
  }
});

it('explains every cheat, and gives the sum of those that only economics stops', () => {
  for (const { name, sum } of cheats) {
    expect(page).toContain(`- **${name}** `);
    if (sum !== undefined) expect(page).toContain(sum);
  }
});
