import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isMissing } from '../drivers/is-missing.ts';
import type { ImageFiles } from './image-files.ts';
import { removeTree } from './image-tree.ts';

interface Item {
  readonly kind: 'blob' | 'tree';
  readonly name: string;
  readonly bytes: number;
  readonly usedMs: number;
}

export interface CollectOptions {
  /** What may be left, in bytes. */
  readonly maxBytes: number;
  /** Hex of digests, of images and of their parts, that stay. */
  readonly keep: ReadonlySet<string>;
  /** Of those, what the caller is about to use itself. */
  readonly own?: ReadonlySet<string>;
}

/**
 * Removes what was not used for longest, until what is left is within the limit; never what is to be kept.
 * @returns bytes of what has to stay, but the caller's own; of an image, those that came out of its layers
 */
export async function collectImages(files: ImageFiles, options: CollectOptions): Promise<number> {
  const items = [...(await blobs(files)), ...(await trees(files))].sort((a, b) => a.usedMs - b.usedMs);
  let bytes = items.reduce((sum, item) => sum + item.bytes, 0);
  for (const item of items) {
    if (bytes <= options.maxBytes) break;
    if (options.keep.has(hexIn(item))) continue;
    if (item.kind === 'tree') await removeTree(files, item.name);
    else await rm(join(files.blobs, item.name), { force: true });
    bytes -= item.bytes;
  }
  const stays = items.filter((item) => options.keep.has(hexIn(item)) && options.own?.has(hexIn(item)) !== true);
  return stays.reduce((sum, item) => sum + item.bytes, 0);
}

function hexIn({ name }: Item): string {
  return name.replace(/\.part$/, '');
}

async function blobs(files: ImageFiles): Promise<Item[]> {
  const names = await readdir(files.blobs);
  const items = names.map(async (name): Promise<Item[]> => {
    const found = await statIfThere(join(files.blobs, name));
    return found === undefined ? [] : [{ kind: 'blob', name, bytes: found.size, usedMs: found.mtimeMs }];
  });
  return (await Promise.all(items)).flat();
}

const sizeSchema = z.object({ bytes: z.int() });

async function trees(files: ImageFiles): Promise<Item[]> {
  const names = (await readdir(files.trees)).filter((name) => /^[0-9a-f]{64}$/.test(name));
  const items = names.map(async (name): Promise<Item[]> => {
    const note = join(files.trees, name, 'image.json');
    const found = await statIfThere(note);
    if (found === undefined) return [];
    const { bytes } = sizeSchema.parse(JSON.parse(await readFile(note, 'utf8')));
    return [{ kind: 'tree', name, bytes, usedMs: found.mtimeMs }];
  });
  return (await Promise.all(items)).flat();
}

async function statIfThere(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
