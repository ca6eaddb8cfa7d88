import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import type { Compression } from '../registry/read-manifest.ts';
import { LayerRefused } from './layer-refused.ts';
import type { LayerTree, OpenFile } from './layer-tree.ts';

/** Of extended headers and long names, each. */
const MAX_HEADER_BYTES = 1024 * 1024;
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

export interface LayerFile {
  readonly path: string;
  readonly compression: Compression;
}

/** What is left of an image's limits; it is counted down. */
export interface LayerBudget {
  bytes: number;
  entries: number;
  /** What it means that there are too many bytes. */
  readonly whenFull: 'IMAGE_TOO_LARGE' | 'IMAGE_NO_SPACE';
}

/**
 * Lays one layer over a tree. Owners, extended attributes and set-id bits are not taken over; devices and pipes are left out.
 * Every byte that comes out of the compression counts, headers and padding too.
 * @throws LayerRefused; what was written before it stays
 */
export async function unpackLayer(layer: LayerFile, tree: LayerTree, budget: LayerBudget): Promise<void> {
  tree.beginLayer();
  const unpacking = new Unpacking(tree, budget);
  const file = createReadStream(layer.path, { highWaterMark: 256 * 1024 });
  const plain = decompressed(file, layer.compression);
  try {
    for await (const piece of plain) {
      if (!Buffer.isBuffer(piece)) throw new TypeError('a layer is read as bytes');
      budget.bytes -= piece.length;
      if (budget.bytes < 0) throw new LayerRefused(budget.whenFull, 'it is larger unpacked than there is room for');
      unpacking.write(piece);
    }
    unpacking.end();
  } catch (thrown) {
    throw refusalOf(thrown);
  } finally {
    unpacking.close();
    plain.destroy();
    file.destroy();
  }
}

function decompressed(file: Readable, compression: Compression): Readable {
  if (compression === 'none') return file;
  const plain = compression === 'gzip' ? createGunzip() : createZstdDecompress();
  file.on('error', (error) => plain.destroy(error));
  return file.pipe(plain);
}

class Unpacking {
  readonly #tree: LayerTree;
  readonly #budget: LayerBudget;
  readonly #parser = new Parser({ strict: true, maxMetaEntrySize: MAX_HEADER_BYTES });
  #file: OpenFile | undefined;
  #failure: unknown;
  #head = Buffer.alloc(0);
  #ended = false;
  #begun = false;

  constructor(tree: LayerTree, budget: LayerBudget) {
    this.#tree = tree;
    this.#budget = budget;
    this.#parser.on('entry', (entry: ReadEntry) => {
      this.#try(() => this.#begin(entry));
      entry.on('data', (bytes: Buffer) => this.#try(() => this.#file?.write(bytes)));
      entry.on('end', () => this.#try(() => this.close()));
    });
    this.#parser.on('ignoredEntry', (entry: ReadEntry) => {
      this.#fail(new LayerRefused('IMAGE_INVALID', `an entry is of the unknown kind ${entry.type}`));
    });
    this.#parser.on('error', (cause: unknown) => this.#fail(damaged(cause)));
    this.#parser.on('eof', () => {
      this.#ended = true;
    });
  }

  write(piece: Buffer): void {
    if (this.#head.length >= 4) {
      this.#feed(piece);
      return;
    }
    // The parser would quietly decompress once more, and nobody would count.
    this.#head = Buffer.concat([this.#head, piece]);
    if (this.#head.length < 4) return;
    if (this.#head.readUInt16BE(0) === 0x1f8b || this.#head.readUInt32BE(0) === 0x28b52ffd) {
      throw new LayerRefused('IMAGE_INVALID', 'a layer is compressed otherwise than its manifest says');
    }
    this.#feed(this.#head);
  }

  end(): void {
    // An archive of nothing but its end is fine; the parser says it is no archive.
    if (this.#ended && !this.#begun) return;
    try {
      this.#parser.end();
    } catch (cause) {
      this.#fail(damaged(cause));
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#ended) throw new LayerRefused('IMAGE_INVALID', 'a layer is cut off');
  }

  close(): void {
    const file = this.#file;
    this.#file = undefined;
    file?.close();
  }

  #feed(piece: Buffer): void {
    try {
      this.#parser.write(piece);
    } catch (cause) {
      this.#fail(damaged(cause));
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  #try(work: () => void): void {
    if (this.#failure !== undefined) return;
    try {
      work();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #fail(thrown: unknown): void {
    this.#failure ??= thrown;
  }

  #begin(entry: ReadEntry): void {
    this.#begun = true;
    this.#budget.entries -= 1;
    if (this.#budget.entries < 0) throw new LayerRefused('IMAGE_TOO_LARGE', 'it has too many files');
    const path = entry.path.replace(/\/+$/, '');
    const slash = path.lastIndexOf('/');
    const name = path.slice(slash + 1);
    if (name.startsWith(WHITEOUT)) this.#whiteOut(path.slice(0, Math.max(slash, 0)), name);
    else this.#place(path, entry);
  }

  #place(path: string, entry: ReadEntry): void {
    const mode = entry.mode ?? 0;
    switch (entry.type) {
      case 'Directory':
        this.#tree.folder(path, mode);
        break;
      case 'File':
      case 'OldFile':
      case 'ContiguousFile':
        this.#file = this.#tree.file(path, mode, entry.mtime);
        break;
      case 'SymbolicLink':
        this.#tree.link(path, entry.linkpath ?? '');
        break;
      case 'Link':
        this.#tree.hardLink(path, entry.linkpath ?? '');
        break;
      case 'CharacterDevice':
      case 'BlockDevice':
      case 'FIFO':
        break;
      default:
        throw new LayerRefused('IMAGE_INVALID', `an entry is of the kind ${entry.type}`);
    }
  }

  /** AUFS left other names that begin so; they say nothing about files. */
  #whiteOut(folder: string, name: string): void {
    if (name === OPAQUE) this.#tree.makeOpaque(folder);
    else if (!name.startsWith(`${WHITEOUT}${WHITEOUT}`)) this.#tree.whiteOut(folder, name.slice(WHITEOUT.length));
  }
}

function damaged(cause: unknown): LayerRefused {
  return new LayerRefused('IMAGE_INVALID', 'a layer is damaged', cause);
}

const refusals: Readonly<Record<string, string>> = {
  ENAMETOOLONG: 'a path is too long',
  ENOTDIR: 'a path leads through a file',
  EMLINK: 'a file has too many links',
  ELOOP: 'a path leads through too many links',
};

function refusalOf(thrown: unknown): unknown {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  if (thrown instanceof LayerRefused) return thrown;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new LayerRefused('IMAGE_NO_SPACE', 'the disk of the machine is full', thrown);
  }
  // zlib names its complaints so; whatever is not ours to explain stays as it is.
  if (code.startsWith('Z_') || code.startsWith('ZSTD_')) return damaged(thrown);
  const text = refusals[code];
  return text === undefined ? thrown : new LayerRefused('IMAGE_INVALID', text, thrown);
}
