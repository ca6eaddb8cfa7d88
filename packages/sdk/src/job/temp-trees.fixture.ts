import { mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { LatentError } from '@latent/protocol';
import type { PackedFiles } from './pack-files.ts';

/** A temporary folder with a `from` and a `to`, for tests of packing. */
export interface TempTrees {
  readonly folder: string;
  readonly from: string;
  readonly to: string;
  /** Writes a file under `from`, its path as its content where none is given. */
  write(path: string, content?: string | Uint8Array): Promise<void>;
  remove(): Promise<void>;
}

export async function makeTempTrees(): Promise<TempTrees> {
  const folder = await mkdtemp(join(tmpdir(), 'latent-files-'));
  const from = join(folder, 'from');
  const to = join(folder, 'to');
  await mkdir(from);
  await mkdir(to);
  return {
    folder,
    from,
    to,
    async write(path, content = path) {
      await mkdir(dirname(join(from, path)), { recursive: true });
      await writeFile(join(from, path), content);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Every path under a folder with what it is: `{ 'a/b': 'text', a: '/', link: '-> a' }`. */
export async function treeOf(root: string): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const entry of await readdir(root, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(root.length + 1);
    if (entry.isDirectory()) tree[name] = '/';
    else if (entry.isSymbolicLink()) tree[name] = `-> ${await readlink(path)}`;
    else tree[name] = (await readFile(path)).toString('latin1');
  }
  return tree;
}

export async function bytesOf(packed: PackedFiles): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of packed.stream({ signal: new AbortController().signal })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function* inPieces(archive: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < archive.byteLength; start += size) yield archive.subarray(start, start + size);
}

/** Code of the `LatentError` that the work ends with; anything else is thrown on. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof LatentError) return error.code;
    throw error;
  }
  return 'nothing was refused';
}
