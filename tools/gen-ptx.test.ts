import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generatePtx, hashSources, KERNELS, sourcesOf, targets } from './gen-ptx.ts';

const nvcc = process.env['LATENT_NVCC'];
const found =
  nvcc !== undefined &&
  (await access(nvcc).then(
    () => true,
    () => false,
  ));

describe('the committed PTX', () => {
  it.each(targets)('of $name was compiled from the sources that are here', async ({ name, version }) => {
    const ptx = await readFile(join(KERNELS, 'ptx', `${name}.ptx`), 'utf8');
    expect(sourcesOf(ptx)).toBe(await hashSources(name));
    expect(ptx).toContain(`.version ${version}\n`);
  });

  const reason = found ? '' : ' (skipped: LATENT_NVCC names no compiler)';
  it.skipIf(!found)(`is what the compiler makes of them${reason}`, { timeout: 120_000 }, async () => {
    for (const [path, ptx] of await generatePtx(nvcc ?? '')) expect(await readFile(path, 'utf8')).toBe(ptx);
  });
});
