import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generateProofVectors } from './gen-proof-vectors.ts';

const root = join(import.meta.dirname, '..');

describe('generateProofVectors', () => {
  it('generates exactly the files that are committed', async () => {
    const vectors = await generateProofVectors();
    expect([...vectors.keys()]).toEqual([
      'packages/proof/vectors/known-answers.json',
      'packages/proof/vectors/development-proof.json',
    ]);
    for (const [path, content] of vectors) expect(await readFile(join(root, path), 'utf8')).toBe(content);
  });
});
