import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { Header, Pax } from 'tar';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { codeOf, inPieces, makeTempTrees, type TempTrees } from './temp-trees.fixture.ts';
import { unpackFiles } from './unpack-files.ts';

const { signal } = new AbortController();
let trees: TempTrees;

beforeEach(async () => {
  trees = await makeTempTrees();
});

afterEach(() => trees.remove());

type Crafted = ConstructorParameters<typeof Header>[0] & { readonly content?: string; readonly long?: string };

function craft(...entries: Crafted[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    if (Buffer.isBuffer(entry)) return [];
    const { content = '', long, ...data } = entry ?? {};
    const header = new Header({ mode: 0o644, size: Buffer.byteLength(content), type: 'File', ...data });
    header.encode();
    const padding = Buffer.alloc((512 - (Buffer.byteLength(content) % 512)) % 512);
    const pax = long === undefined ? [] : [new Pax({ path: long }).encode()];
    return [...pax, header.block ?? Buffer.alloc(0), Buffer.from(content), padding];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

describe('a hostile archive', () => {
  const link = (path: string, linkpath: string): Crafted => ({ path, linkpath, type: 'SymbolicLink' });

  test.each<[string, Buffer]>([
    ['an absolute path', craft({ path: '/tmp/evil', content: 'x' })],
    ['a path with ..', craft({ path: 'a/../../evil', content: 'x' })],
    ['a long name with ..', craft({ path: 'fine', long: `${'a/'.repeat(80)}../../evil`, content: 'x' })],
    ['a link to an absolute path', craft(link('a', '/etc'))],
    ['a link that climbs out', craft({ path: 'd/', type: 'Directory' }, link('d/a', '../../etc'))],
    ['a link that climbs out behind another', craft(link('d', '.'), link('a', 'd/../../etc'))],
    ['a file through a link', craft({ path: 'd/', type: 'Directory' }, link('a', 'd'), { path: 'a/x', content: 'x' })],
    ['a link replaced by a file', craft(link('a', 'b'), { path: 'a', content: 'x' })],
    ['a hard link', craft({ path: 'a', content: 'x' }, { path: 'b', linkpath: 'a', type: 'Link' })],
    ['a hard link outwards', craft({ path: 'b', linkpath: '/etc/passwd', type: 'Link' })],
    ['a character device', craft({ path: 'null', type: 'CharacterDevice', devmaj: 1, devmin: 3 })],
    ['a block device', craft({ path: 'sda', type: 'BlockDevice', devmaj: 8, devmin: 0 })],
    ['a pipe', craft({ path: 'pipe', type: 'FIFO' })],
    ['the same file twice', craft({ path: 'a', content: 'x' }, { path: 'a', content: 'y' })],
    ['the same file twice by other spelling', craft({ path: 'a', content: 'x' }, { path: './/a', content: 'y' })],
    ['names that differ in case alone', craft({ path: 'a', content: 'x' }, { path: 'A', content: 'y' })],
    ['folders that differ in case alone', craft({ path: 'd/a', content: 'x' }, { path: 'D/b', content: 'y' })],
    ['names that differ in accents alone', craft({ path: 'é', content: 'x' }, { path: 'e\u0301', content: 'y' })],
    ['a file where a folder is', craft({ path: 'a/b', content: 'x' }, { path: 'a', content: 'y' })],
    ['a folder where a file is', craft({ path: 'a', content: 'x' }, { path: 'a/', type: 'Directory' })],
    ['a name with a terminal command', craft({ path: 'a\u001b[2J', content: 'x' })],
    ['a path too deep', craft({ path: 'x', long: 'a/'.repeat(70), content: 'x' })],
    ['a compressed stream', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0])],
    ['a stream that is cut between files', craft({ path: 'a', content: 'x' }).subarray(0, 1024)],
    ['a stream that is cut inside of a file', craft({ path: 'a', content: 'x'.repeat(2000) }).subarray(0, 1024)],
    ['a damaged header', Buffer.from(craft({ path: 'a', content: 'x' })).fill(0xff, 100, 110)],
    ['no tar at all', Buffer.from('hello '.repeat(500))],
    ['nothing', Buffer.alloc(0)],
  ])('is refused and writes nothing outside: %s', async (_, archive) => {
    await writeFile(join(trees.folder, 'witness'), 'unchanged');
    const before = (await readdir(trees.folder)).sort();
    for (const size of [archive.byteLength || 1, 37]) {
      const target = join(trees.to, String(size));
      await mkdir(target);
      expect(await codeOf(unpackFiles(inPieces(archive, size), { folder: target, signal }))).toBe('MESSAGE_INVALID');
    }
    expect((await readdir(trees.folder)).sort()).toEqual(before);
    expect(await readFile(join(trees.folder, 'witness'), 'utf8')).toBe('unchanged');
  });

  test.each<[string, Buffer]>([
    ['many entries', craft(...Array.from({ length: 20 }, (_, index) => ({ path: `f${index}` })))],
    ['many bytes', craft({ path: 'a', content: 'x'.repeat(900) }, { path: 'b', content: 'x'.repeat(900) })],
    ['a size that is only claimed', craft({ path: 'a', size: 8 * 1024 ** 3 - 1 })],
    ['headers without end', craft(...Array.from({ length: 400 }, () => ({ path: 'd/', type: 'Directory' as const })))],
  ])('is stopped at the limit: %s', async (_, archive) => {
    const limits = { maxBytes: 1000, maxEntries: 10 };
    expect(await codeOf(unpackFiles(inPieces(archive, 512), { folder: trees.to, signal, limits }))).toBe(
      'JOB_FILES_TOO_LARGE',
    );
  });

  test('loses its set-id bits', async () => {
    await unpackFiles(inPieces(craft({ path: 'su', mode: 0o6755, content: 'x' }), 512), { folder: trees.to, signal });
    expect((await stat(join(trees.to, 'su'))).mode & 0o7000).toBe(0);
  });

  test('never writes outside and throws nothing but LatentErrors, whatever the bytes', {
    timeout: 60_000,
  }, async () => {
    const valid = craft({ path: 'd/a', content: 'x'.repeat(600) }, link('l', 'd/a'), {
      path: 'b',
      long: 'b'.repeat(120),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        async (edits) => {
          await rm(trees.to, { recursive: true });
          await mkdir(trees.to);
          const archive = Buffer.from(valid);
          for (const [offset, byte] of edits) archive[offset] = byte;
          await codeOf(unpackFiles(inPieces(archive, 512), { folder: trees.to, signal }));
          expect((await readdir(trees.folder)).sort()).toEqual(['from', 'to']);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('unpacking over what is there', () => {
  const archive = craft({ path: 'outputs/model.json', content: 'new' });

  test('is refused without the word for it', async () => {
    await mkdir(join(trees.to, 'outputs'));
    await writeFile(join(trees.to, 'outputs/model.json'), 'old');
    expect(await codeOf(unpackFiles(inPieces(archive, 512), { folder: trees.to, signal }))).toBe('MESSAGE_INVALID');
    expect(await readFile(join(trees.to, 'outputs/model.json'), 'utf8')).toBe('old');
  });

  test('replaces files, and a link rather than what it leads to', async () => {
    await writeFile(join(trees.folder, 'precious'), 'precious');
    await mkdir(join(trees.to, 'outputs'));
    await symlink(join(trees.folder, 'precious'), join(trees.to, 'outputs/model.json'));
    await unpackFiles(inPieces(archive, 512), { folder: trees.to, signal, overwrite: true });
    expect(await readFile(join(trees.to, 'outputs/model.json'), 'utf8')).toBe('new');
    expect(await readFile(join(trees.folder, 'precious'), 'utf8')).toBe('precious');
  });

  test('never goes through a link of the folder', async () => {
    await symlink(trees.folder, join(trees.to, 'outputs'));
    const work = unpackFiles(inPieces(archive, 512), { folder: trees.to, signal, overwrite: true });
    expect(await codeOf(work)).toBe('MESSAGE_INVALID');
    expect(await readdir(trees.folder)).not.toContain('model.json');
  });
});

test('an archive of nothing but its end unpacks to nothing', async () => {
  expect(await unpackFiles(inPieces(craft(), 100), { folder: trees.to, signal })).toEqual({ bytes: 0, entries: 0 });
});
