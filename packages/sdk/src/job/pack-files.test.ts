import { chmod, mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packFiles } from './pack-files.ts';
import { bytesOf, codeOf, inPieces, makeTempTrees, type TempTrees, treeOf } from './temp-trees.fixture.ts';
import { unpackFiles } from './unpack-files.ts';

const { signal } = new AbortController();
let trees: TempTrees;

beforeEach(async () => {
  trees = await makeTempTrees();
});

afterEach(() => trees.remove());

const all = () => ({ root: trees.from, from: '', at: '', ignoreRules: true });

describe('packing', () => {
  test('brings folders, files, modes and inner links over, and the same bytes each time', async () => {
    await trees.write('train.py');
    await trees.write('src/model.py');
    await trees.write('run.sh', '#!/bin/sh');
    await chmod(join(trees.from, 'run.sh'), 0o755);
    await mkdir(join(trees.from, 'empty'));
    await symlink('src/model.py', join(trees.from, 'latest'));
    await symlink('../train.py', join(trees.from, 'src/up'));
    const packed = await packFiles([all()], { signal });
    expect(packed).toMatchObject({ entries: 7, leftOut: [], missing: [] });
    const first = await bytesOf(packed);
    expect(first.equals(await bytesOf(await packFiles([all()], { signal })))).toBe(true);
    const result = await unpackFiles(inPieces(first, 1000), { folder: trees.to, signal });
    expect(result).toEqual({ bytes: packed.bytes, entries: packed.entries });
    expect(await treeOf(trees.to)).toEqual(await treeOf(trees.from));
    expect((await stat(join(trees.to, 'run.sh'))).mode & 0o777).toBe(0o755);
    expect((await stat(join(trees.to, 'train.py'))).mode & 0o111).toBe(0);
  });

  test('leaves out what .gitignore names, inner files and negations counting, and .git', async () => {
    await trees.write('.gitignore', '*.ckpt\nbuild/\n');
    await trees.write('sub/.gitignore', '!keep.ckpt\n/local\n');
    for (const path of ['a.ckpt', 'a.py', 'build/x', 'sub/keep.ckpt', 'sub/b.ckpt', 'sub/local', 'sub/in/local']) {
      await trees.write(path);
    }
    await trees.write('.git/config', 'secret');
    await trees.write('.git/info/exclude', 'a.py');
    const packed = await bytesOf(await packFiles([all()], { signal }));
    await unpackFiles(inPieces(packed, 4096), { folder: trees.to, signal });
    expect(Object.keys(await treeOf(trees.to)).sort()).toEqual(
      ['.gitignore', 'sub', 'sub/.gitignore', 'sub/in', 'sub/in/local', 'sub/keep.ckpt'].sort(),
    );
  });

  test('reads .skyignore instead where there is one', async () => {
    await trees.write('.gitignore', 'data\n');
    await trees.write('.skyignore', 'code\n');
    await trees.write('data');
    await trees.write('code');
    const packed = await bytesOf(await packFiles([all()], { signal }));
    await unpackFiles(inPieces(packed, 4096), { folder: trees.to, signal });
    expect(Object.keys(await treeOf(trees.to)).sort()).toEqual(['.gitignore', '.skyignore', 'data']);
  });

  test('names what it leaves out: links that lead out, names with a line break', async () => {
    await mkdir(join(trees.from, 'deep'));
    await symlink('/etc/passwd', join(trees.from, 'absolute'));
    await symlink('../../etc', join(trees.from, 'deep/up'));
    await symlink('deep/../../x', join(trees.from, 'zigzag'));
    await trees.write('two\nlines');
    const packed = await packFiles([all()], { signal });
    expect(packed.leftOut.map(({ path }) => path).sort()).toEqual(['absolute', 'deep/up', 'two\nlines', 'zigzag']);
    expect(packed.entries).toBe(1);
  });

  test('never reads through a link of the folder, not even by a path that was asked for', async () => {
    await writeFile(join(trees.folder, 'secret'), 'secret');
    await symlink(trees.folder, join(trees.from, 'outputs'));
    const packed = await packFiles([{ root: trees.from, from: 'outputs/secret', at: 'x', ignoreRules: false }], {
      signal,
    });
    expect(packed).toMatchObject({
      entries: 0,
      leftOut: [{ path: 'outputs/secret', reason: 'leads out of its folder' }],
    });
  });

  test('refuses a folder that became a link after it was listed', async () => {
    await trees.write('outputs/passwd', 'mine!');
    const packed = await packFiles([all()], { signal });
    await rm(join(trees.from, 'outputs'), { recursive: true });
    await mkdir(join(trees.folder, 'elsewhere'));
    await writeFile(join(trees.folder, 'elsewhere/passwd'), 'his!!');
    await symlink(join(trees.folder, 'elsewhere'), join(trees.from, 'outputs'));
    expect(await codeOf(bytesOf(packed))).toBe('JOB_FILE_INVALID');
  });

  test('refuses a file that grew or shrank after it was listed', async () => {
    await trees.write('log', 'before');
    const packed = await packFiles([all()], { signal });
    await trees.write('log', 'before and after');
    expect(await codeOf(bytesOf(packed))).toBe('JOB_FILE_INVALID');
  });

  test('says which files are the biggest when there are too many bytes', async () => {
    await trees.write('small', 'x');
    await trees.write('data/big.bin', Buffer.alloc(5000));
    const work = packFiles([all()], { signal, limits: { maxBytes: 4000, maxEntries: 10 } });
    await expect(work).rejects.toMatchObject({
      code: 'JOB_FILES_TOO_LARGE',
      details: { biggest: ['data/big.bin (5000 bytes)', 'small (1 bytes)'] },
    });
  });

  test('says where the most files are when there are too many', async () => {
    await trees.write('one');
    for (let index = 0; index < 12; index += 1) await trees.write(`cache/${index}`);
    const work = packFiles([all()], { signal, limits: { maxBytes: 4000, maxEntries: 10 } });
    await expect(work).rejects.toMatchObject({ code: 'JOB_FILES_TOO_LARGE', details: { fullest: 'cache' } });
  });

  test('refuses names that differ in case alone', async () => {
    await trees.write('README');
    await trees.write('readme');
    expect(await codeOf(packFiles([all()], { signal }))).toBe('JOB_FILE_INVALID');
  });

  test('says which sources do not exist', async () => {
    const packed = await packFiles([{ root: trees.from, from: 'outputs/model.json', at: 'm', ignoreRules: false }], {
      signal,
    });
    expect(packed).toMatchObject({ entries: 0, missing: ['outputs/model.json'] });
  });
});

test('random trees come out as they went in, in pieces of any size', { timeout: 60_000 }, async () => {
  const name = fc
    .string({ unit: fc.constantFrom('a', 'b', 'ß', '漢', ' ', '.', '-', '"', '\\'), minLength: 1, maxLength: 6 })
    .filter((text) => text !== '.' && text !== '..');
  const path = fc.array(fc.oneof(name, fc.constant('long-'.repeat(30))), { minLength: 1, maxLength: 4 });
  const file = fc.record({ path, content: fc.uint8Array({ maxLength: 3000 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(file, { maxLength: 12 }), fc.integer({ min: 1, max: 5000 }), async (files, pieceSize) => {
      await rm(trees.from, { recursive: true });
      await rm(trees.to, { recursive: true });
      await mkdir(trees.from);
      await mkdir(trees.to);
      for (const { path: parts, content } of files) {
        await trees.write(join(...parts), content).catch((error: unknown) => {
          // A random tree may want a file where it has a folder.
          if (!(error instanceof Error && 'code' in error && /EEXIST|ENOTDIR|EISDIR/.test(String(error.code))))
            throw error;
        });
      }
      const packed = await packFiles([{ ...all(), ignoreRules: false }], { signal });
      const result = await unpackFiles(inPieces(await bytesOf(packed), pieceSize), { folder: trees.to, signal });
      expect(result).toEqual({ bytes: packed.bytes, entries: packed.entries });
      expect(await treeOf(trees.to)).toEqual(await treeOf(trees.from));
    }),
    { numRuns: 40 },
  );
});
