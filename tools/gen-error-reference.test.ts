import { contractErrors, errorCodes } from '@latent/protocol';
import { expect, it } from 'vitest';
import { generateErrorReference } from './gen-error-reference.ts';

const [page = ''] = generateErrorReference().values();

it('gives each code, and each error of a contract, one row of three cells', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  expect(rows.map((row) => row.split(' | ')[0])).toEqual(
    [...Object.keys(errorCodes), ...Object.keys(contractErrors)].map((name) => `| \`${name}\``),
  );
  for (const row of rows) expect(row.split('|')).toHaveLength(5);
});
