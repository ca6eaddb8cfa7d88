import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LayerTree, type TreeAccess } from './layer-tree.ts';
import { type TarEntry, tarArchive } from './tar-archive.fixture.ts';
import { type LayerBudget, unpackLayer } from './unpack-layer.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latent-unpack-'));
  await mkdir(join(folder, 'root'));
  await writeFile(join(folder, 'secret'), 'of the machine');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Options {
  readonly access?: TreeAccess;
  readonly budget?: LayerBudget;
}

const roomy = (): LayerBudget => ({ bytes: 1 << 30, entries: 10_000, whenFull: 'IMAGE_TOO_LARGE' });

async function unpack(layers: readonly Buffer[], options: Options = {}): Promise<string> {
  const root = join(folder, 'root');
  const tree = new LayerTree(root, options.access ?? 'owner');
  const budget = options.budget ?? roomy();
  for (const [index, bytes] of layers.entries()) {
    const path = join(folder, `layer-${index}`);
    await writeFile(path, bytes);
    const compression = bytes.readUInt16BE(0) === 0x1f8b ? 'gzip' : bytes[0] === 0x28 ? 'zstd' : 'none';
    await unpackLayer({ path, compression }, tree, budget);
  }
  return root;
}

const unpackEntries = (...layers: (readonly TarEntry[])[]) => unpack(layers.map(tarArchive));

describe('a layer of an image', () => {
  test.each([
    ['plain', (bytes: Buffer) => bytes],
    ['of gzip', (bytes: Buffer) => gzipSync(bytes)],
    [
      'of two gzip streams in a row',
      (bytes: Buffer) => Buffer.concat([gzipSync(bytes.subarray(0, 700)), gzipSync(bytes.subarray(700))]),
    ],
    ['of zstd', (bytes: Buffer) => zstdCompressSync(bytes)],
  ])('is unpacked with names, modes, times and links: %s', async (_, pack) => {
    const long = `${'deep/'.repeat(30)}file`;
    const root = await unpack([
      pack(
        tarArchive([
          { name: './', type: '5', mode: 0o755 },
          { name: 'bin/tool', content: 'x'.repeat(100_000), mode: 0o755, mtime: 1_600_000_000 },
          { name: 'bin/same', type: '1', link: 'bin/tool' },
          { name: 'lib', type: '2', link: 'usr/lib' },
          { name: '/etc/conf', content: 'a=1', mode: 0o640 },
          { name: long, content: 'long' },
        ]),
      ),
    ]);
    const tool = await stat(join(root, 'bin/tool'));
    expect(tool).toMatchObject({ size: 100_000, nlink: 2, mtimeMs: 1_600_000_000_000 });
    expect(tool.mode & 0o7777).toBe(0o755);
    expect((await stat(join(root, 'bin/same'))).ino).toBe(tool.ino);
    expect(await readlink(join(root, 'lib'))).toBe('usr/lib');
    expect(await readFile(join(root, 'etc/conf'), 'utf8')).toBe('a=1');
    expect((await stat(join(root, 'etc/conf'))).mode & 0o7777).toBe(0o640);
    expect(await readFile(join(root, long), 'utf8')).toBe('long');
  });

  test('keeps no set-id bits, devices or pipes, and nothing that its owner could not remove', async () => {
    const root = await unpackEntries([
      { name: 'su', content: 'x', mode: 0o6755 },
      { name: 'tmp', type: '5', mode: 0o1777 },
      { name: 'shut', type: '5', mode: 0 },
      { name: 'shut/in', content: 'x', mode: 0 },
      { name: 'dev/sda', type: '4' },
      { name: 'dev/null', type: '3' },
      { name: 'pipe', type: '6' },
    ]);
    expect((await stat(join(root, 'su'))).mode & 0o7777).toBe(0o755);
    expect((await stat(join(root, 'tmp'))).mode & 0o7777).toBe(0o777);
    expect((await stat(join(root, 'shut'))).mode & 0o7777).toBe(0o700);
    expect((await stat(join(root, 'shut/in'))).mode & 0o7777).toBe(0o600);
    expect((await readdir(root)).toSorted()).toEqual(['shut', 'su', 'tmp']);
  });

  test('can be read and changed by a user who owns nothing of it, where such a one is to run it', async () => {
    const layer = tarArchive([
      { name: 'etc/', type: '5', mode: 0o700 },
      { name: 'etc/key', content: 'x', mode: 0o400 },
      { name: 'etc/run', content: 'x', mode: 0o500 },
      { name: 'made/of/parents', content: 'x' },
    ]);
    const root = await unpack([layer], { access: 'anyone' });
    const modes = await Promise.all(
      ['etc', 'etc/key', 'etc/run', 'made', 'made/of'].map(
        async (path) => (await stat(join(root, path))).mode & 0o7777,
      ),
    );
    expect(modes).toEqual([0o777, 0o666, 0o777, 0o777, 0o777]);
  });

  test('replaces files by folders, folders by files, and links by what it brings', async () => {
    const root = await unpackEntries(
      [
        { name: 'a', content: 'file' },
        { name: 'b/c/d', content: 'deep' },
        { name: 'e', type: '2', link: 'b' },
        { name: 'f', type: '2', link: '../../secret' },
      ],
      [
        { name: 'a', type: '5' },
        { name: 'a/x', content: 'in a' },
        { name: 'b', content: 'flat' },
        { name: 'e', type: '5' },
        { name: 'f', content: 'new' },
      ],
    );
    expect(await readFile(join(root, 'a/x'), 'utf8')).toBe('in a');
    expect(await readFile(join(root, 'b'), 'utf8')).toBe('flat');
    expect((await lstat(join(root, 'e'))).isDirectory()).toBe(true);
    expect(await readFile(join(root, 'f'), 'utf8')).toBe('new');
    expect(await readFile(join(folder, 'secret'), 'utf8')).toBe('of the machine');
  });

  test('goes through links as the image means them, from its own root', async () => {
    const root = await unpackEntries(
      [
        { name: 'usr/lib', type: '5' },
        { name: 'lib', type: '2', link: '/usr/lib' },
        { name: 'up', type: '2', link: '../../../../usr' },
      ],
      [
        { name: 'lib/one', content: '1' },
        { name: 'up/lib/two', content: '2' },
        { name: 'three', type: '1', link: 'lib/one' },
      ],
    );
    expect((await readdir(join(root, 'usr/lib'))).toSorted()).toEqual(['one', 'two']);
    expect(await readFile(join(root, 'three'), 'utf8')).toBe('1');
  });
});

describe('a hostile layer', () => {
  test.each([
    ['climbs out of its folder', [{ name: '../secret', content: 'mine' }]],
    ['climbs out in the middle', [{ name: 'a/../../secret', content: 'mine' }]],
    ['hard-links a file of the machine by climbing', [{ name: 'a', type: '1', link: '../secret' }]],
    ['hard-links an absolute path of the machine', [{ name: 'a', type: '1', link: '/etc/passwd' }]],
    [
      'hard-links a folder',
      [
        { name: 'd', type: '5' },
        { name: 'a', type: '1', link: 'd' },
      ],
    ],
    [
      'hard-links a file of the machine through a link',
      [
        { name: 'out', type: '2', link: '../..' },
        { name: 'a', type: '1', link: 'out/secret' },
      ],
    ],
    [
      'leads in circles',
      [
        { name: 'x', type: '2', link: 'y' },
        { name: 'y', type: '2', link: 'x' },
        { name: 'x/a', content: '' },
      ],
    ],
    ['has a name longer than any file', [{ name: 'n'.repeat(300), content: '' }]],
    ['has a path longer than any path', [{ name: 'd/'.repeat(3000), type: '5' }]],
    [
      'hard-links what its link takes the place of',
      [
        { name: 'd/f', content: 'x' },
        { name: 'd', type: '1', link: 'd/f' },
      ],
    ],
    ['has a link to nothing', [{ name: 'a', type: '2', link: '' }]],
    [
      'puts a file below a file',
      [
        { name: 'a', content: '' },
        { name: 'a/b', content: '' },
      ],
    ],
    ['is of a kind that nobody knows', [{ name: 'a', type: 'S', content: '' }]],
    ['makes its root a file', [{ name: '.', content: 'x' }]],
    ['has a whiteout of its parent', [{ name: 'a/.wh...', content: '' }]],
  ] as const)('is refused if it %s', async (_, entries) => {
    await expect(unpackEntries(entries)).rejects.toMatchObject({ name: 'LayerRefused', code: 'IMAGE_INVALID' });
    expect(await readFile(join(folder, 'secret'), 'utf8')).toBe('of the machine');
    expect((await readdir(folder)).toSorted()).toEqual(['layer-0', 'root', 'secret']);
  });

  test.each([
    ['a link to an absolute folder', '/'],
    ['a link that climbs', '../../..'],
    ['a link to where the tests are', '../'],
  ])('does not get out through %s', async (_, target) => {
    const root = await unpackEntries([
      { name: 'out', type: '2', link: target },
      { name: 'out/secret', content: 'mine' },
      { name: 'out/tmp/mine', content: 'mine' },
      { name: 'out/.wh.secret', content: '' },
      { name: 'out/.wh..wh..opq', content: '' },
    ]);
    expect(await readFile(join(folder, 'secret'), 'utf8')).toBe('of the machine');
    expect((await readdir(root)).toSorted()).toEqual(['out', 'secret', 'tmp']);
  });

  test('does not write through a link that it laid where its file goes', async () => {
    const root = await unpackEntries([
      { name: 'a', type: '2', link: '../secret' },
      { name: 'a', content: 'mine' },
    ]);
    expect(await readFile(join(folder, 'secret'), 'utf8')).toBe('of the machine');
    expect(await readFile(join(root, 'a'), 'utf8')).toBe('mine');
  });

  test.each([
    ['cut off in a file', tarArchive([{ name: 'a', content: 'x'.repeat(5000) }]).subarray(0, 3000)],
    ['cut off in its compression', gzipSync(tarArchive([{ name: 'a', content: 'x'.repeat(5000) }])).subarray(0, 60)],
    ['altered in a header', Buffer.from(tarArchive([{ name: 'a', content: 'x' }])).fill(0x41, 5, 20)],
    ['compressed twice', gzipSync(gzipSync(tarArchive([{ name: 'a', content: 'x' }])))],
    ['no archive at all', Buffer.from('hello '.repeat(1000))],
    ['of a long name without end', tarArchive([{ name: 'L', type: 'L', content: Buffer.alloc(3 << 20, 0x61) }])],
  ])('is refused if it is %s', async (_, bytes) => {
    await expect(unpack([bytes])).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
  });

  test('is refused once more comes out of its compression than there is room for', async () => {
    const bomb = gzipSync(tarArchive([{ name: 'zeros', content: Buffer.alloc(40 << 20) }]));
    expect(bomb.length).toBeLessThan(100_000);
    const budget = { bytes: 1 << 20, entries: 10, whenFull: 'IMAGE_NO_SPACE' as const };
    await expect(unpack([bomb], { budget })).rejects.toMatchObject({ code: 'IMAGE_NO_SPACE' });
    expect((await stat(join(folder, 'root', 'zeros'))).size).toBeLessThanOrEqual(1 << 20);
  });

  test('is refused at one file more than the limit, over all layers', async () => {
    const layer = (name: string) => tarArchive(Array.from({ length: 60 }, (_, index) => ({ name: `${name}${index}` })));
    const budget = { ...roomy(), entries: 100 };
    await expect(unpack([layer('a'), layer('b')], { budget })).rejects.toMatchObject({ code: 'IMAGE_TOO_LARGE' });
    expect((await readdir(join(folder, 'root'))).length).toBe(100);
  });
});

describe('whiteouts', () => {
  test('hide a file, a whole folder, and all that lower layers have in one', async () => {
    const root = await unpackEntries(
      [
        { name: 'keep', content: '1' },
        { name: 'gone', content: '1' },
        { name: 'tree/deep/file', content: '1' },
        { name: 'opaque/lower', content: '1' },
        { name: 'opaque/sub/lower', content: '1' },
      ],
      [
        { name: '.wh.gone', content: '' },
        { name: '.wh.tree', content: '' },
        { name: 'opaque/upper', content: '2' },
        { name: 'opaque/.wh..wh..opq', content: '' },
        { name: '.wh..wh.aufs', content: '' },
        { name: '.wh.never-there', content: '' },
      ],
    );
    expect((await readdir(root)).toSorted()).toEqual(['keep', 'opaque']);
    expect(await readdir(join(root, 'opaque'))).toEqual(['upper']);
  });

  test('come to what a simple model says, whatever the layers and their order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(layerArbitrary, { minLength: 1, maxLength: 4 }), async (layers) => {
        await rm(join(folder, 'root'), { recursive: true });
        await mkdir(join(folder, 'root'));
        const root = await unpackEntries(...layers.map(({ entries }) => entries));
        expect(await listing(root)).toEqual(model(layers));
      }),
      { numRuns: 100 },
    );
  });
});

interface ModelLayer {
  readonly files: readonly string[];
  readonly whiteouts: readonly string[];
  readonly opaque: readonly string[];
  readonly entries: readonly TarEntry[];
}

const folders = ['a', 'a/b', 'a/b/c', 'd'];
const paths = [...folders.flatMap((path) => [`${path}/x`, `${path}/y`]), 'x', 'y'];
const hidable = [...paths, ...folders];

const layerArbitrary = fc
  .record({
    files: fc.uniqueArray(fc.constantFrom(...paths), { maxLength: 6 }),
    whiteouts: fc.uniqueArray(fc.constantFrom(...hidable), { maxLength: 4 }),
    opaque: fc.uniqueArray(fc.constantFrom(...folders), { maxLength: 2 }),
    seed: fc.infiniteStream(fc.nat(1000)),
  })
  .map(({ files, whiteouts, opaque, seed }): ModelLayer => {
    const marks = [
      ...files.map((name) => ({ name, content: 'x' })),
      ...whiteouts.map((path) => ({ name: path.replace(/([^/]+)$/, '.wh.$1') })),
      ...opaque.map((path) => ({ name: `${path}/.wh..wh..opq` })),
    ];
    const shuffled = marks.map((entry) => ({ entry, at: Number(seed.next().value) })).toSorted((l, r) => l.at - r.at);
    return { files, whiteouts, opaque, entries: shuffled.map(({ entry }) => entry) };
  });

/** Each layer first hides what the lower ones had, then adds its own files. */
function model(layers: readonly ModelLayer[]): string[] {
  let there = new Map<string, number>();
  for (const [index, { files, whiteouts, opaque }] of layers.entries()) {
    const isHidden = (path: string) =>
      whiteouts.some((hidden) => path === hidden || path.startsWith(`${hidden}/`)) ||
      opaque.some((hidden) => path.startsWith(`${hidden}/`));
    there = new Map([...there].filter(([path]) => !isHidden(path)));
    for (const path of files) there.set(path, index);
  }
  return [...there.keys()].toSorted();
}

async function listing(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1)).toSorted();
}
