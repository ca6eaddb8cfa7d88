import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, realpath, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { LatentError } from '@latent/protocol';
import { Parser, type ReadEntry } from 'tar';
import { archivePathParts, defaultFileLimits, type FileLimits, foldPath, linkRefusal } from './archive-path.ts';

export interface UnpackOptions {
  /** Absolute path of a folder that exists. Nothing outside of it is written. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly limits?: FileLimits;
  /** Replace files that were there before; without it they are a reason to refuse. */
  readonly overwrite?: boolean;
}

const pieceBytes = 64 * 1024;
/** Headers of an entry, its long name and its padding, at most about. */
const entryOverheadBytes = 4096;

/**
 * Unpacks a plain tar stream of a stranger, piece by piece. Refused are compressed and cut streams, absolute paths, `..`,
 * links that lead out of the folder, hard links, devices, pipes, names that appear twice or differ in case alone, paths
 * through links, and more than `limits`. Owners, dates and set-id bits are not taken over.
 *
 * What was written before a refusal stays; the caller removes the folder.
 *
 * @throws LatentError MESSAGE_INVALID, JOB_FILES_TOO_LARGE, STORE_FAILED, CANCELLED; whatever `archive` throws.
 */
export async function unpackFiles(
  archive: AsyncIterable<Uint8Array>,
  options: UnpackOptions,
): Promise<{ readonly bytes: number; readonly entries: number }> {
  const limits = options.limits ?? defaultFileLimits;
  const unpack = new Unpack(await realpath(options.folder), limits, options.overwrite === true);
  const maxStreamBytes = limits.maxBytes + limits.maxEntries * entryOverheadBytes + pieceBytes;
  let streamed = 0;
  try {
    for await (const chunk of archive) {
      streamed += chunk.byteLength;
      if (streamed > maxStreamBytes) throw tooLarge(`more than ${maxStreamBytes} bytes of archive`, limits);
      for (let start = 0; start < chunk.byteLength; start += pieceBytes) {
        if (options.signal.aborted) throw new LatentError('CANCELLED', 'Unpacking the files was stopped.');
        await unpack.write(Buffer.from(chunk.subarray(start, start + pieceBytes)));
      }
    }
    await unpack.end();
  } finally {
    await unpack.close();
  }
  return { bytes: unpack.bytes, entries: unpack.entries };
}

/** The parser reports within `write`, the work on disk is done after it: at most one piece is ever in memory. */
class Unpack {
  bytes = 0;
  entries = 0;
  readonly #root: string;
  readonly #limits: FileLimits;
  readonly #overwrite: boolean;
  readonly #parser = new Parser({ strict: true, maxMetaEntrySize: 16 * 1024 });
  readonly #work: (() => Promise<void>)[] = [];
  /** Exact spelling of each path of this archive, by its fold. */
  readonly #spellings = new Map<string, string>();
  readonly #seen = new Set<string>();
  #head = Buffer.alloc(0);
  #file: FileHandle | undefined;
  #failure: LatentError | undefined;
  #ended = false;

  constructor(root: string, limits: FileLimits, overwrite: boolean) {
    this.#root = root;
    this.#limits = limits;
    this.#overwrite = overwrite;
    this.#parser.on('entry', (entry: ReadEntry) => {
      this.#work.push(() => this.#begin(entry));
      entry.on('data', (data: Buffer) => this.#work.push(() => this.#append(data)));
      entry.on('end', () => this.#work.push(() => this.close()));
    });
    this.#parser.on('ignoredEntry', (entry: ReadEntry) => this.#fail(`${shown(entry.path)} is of an unknown kind`));
    this.#parser.on('error', (cause: unknown) => this.#fail('the archive is damaged', cause));
    this.#parser.on('eof', () => {
      this.#ended = true;
    });
  }

  async write(piece: Buffer): Promise<void> {
    if (this.#head.length < 4) {
      // The parser would quietly decompress; four bytes tell.
      this.#head = Buffer.concat([this.#head, piece]);
      if (this.#head.length < 4) return;
      if (this.#head.readUInt16BE(0) === 0x1f8b || this.#head.readUInt32BE(0) === 0x28b52ffd) {
        throw refused('the archive is compressed');
      }
      await this.#feed(this.#head);
    } else await this.#feed(piece);
  }

  async end(): Promise<void> {
    // An archive of nothing but its end is fine; the parser says it is no archive.
    if (!this.#ended || this.entries > 0) await this.#drive(() => this.#parser.end());
    if (!this.#ended) throw refused('the archive is cut off');
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  #feed(bytes: Buffer): Promise<void> {
    return this.#drive(() => this.#parser.write(bytes));
  }

  async #drive(parse: () => void): Promise<void> {
    try {
      parse();
    } catch (cause) {
      this.#fail('the archive is damaged', cause);
    }
    for (let step = this.#work.shift(); step !== undefined; step = this.#work.shift()) await step();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #fail(reason: string, cause?: unknown): void {
    this.#failure ??= refused(reason, cause);
  }

  async #begin(entry: ReadEntry): Promise<void> {
    const parts = archivePathParts(entry.path);
    if ('refused' in parts) throw refused(`${shown(entry.path)} ${parts.refused}`);
    this.entries += 1;
    this.bytes += entry.size;
    if (this.entries > this.#limits.maxEntries)
      throw tooLarge(`more than ${this.#limits.maxEntries} entries`, this.#limits);
    if (this.bytes > this.#limits.maxBytes)
      throw tooLarge(`${this.bytes} bytes with ${shown(entry.path)}`, this.#limits);
    if (parts.length === 0) {
      if (entry.type !== 'Directory') throw refused('the root is no folder');
      return;
    }
    const path = parts.join('/');
    this.#claim(parts);
    switch (entry.type) {
      case 'Directory':
        return this.#folders(parts);
      case 'File':
      case 'OldFile':
      case 'ContiguousFile':
        await this.#place(parts);
        return this.#create(path, ((entry.mode ?? 0) & 0o100) !== 0);
      case 'SymbolicLink': {
        const target = entry.linkpath ?? '';
        const reason = linkRefusal(target, parts.length - 1);
        if (reason !== undefined) throw refused(`${shown(path)} ${reason}`);
        await this.#place(parts);
        await symlink(target, join(this.#root, path)).catch((cause: unknown) => {
          throw storeFailed(path, cause);
        });
        return;
      }
      default:
        throw refused(`${shown(path)} is a ${entry.type}`);
    }
  }

  /** Each spelling once: `a/x` and `A/y` would share a folder on some disks. A folder may be named again. */
  #claim(parts: readonly string[]): void {
    for (let length = 1; length <= parts.length; length += 1) {
      const path = parts.slice(0, length).join('/');
      const spelling = this.#spellings.get(foldPath(path));
      if (spelling !== undefined && spelling !== path) {
        throw refused(`${shown(spelling)} and ${shown(path)} differ in case or accents alone`);
      }
      this.#spellings.set(foldPath(path), path);
    }
  }

  /** Makes way for a file or link. */
  async #place(parts: readonly string[]): Promise<void> {
    const path = parts.join('/');
    if (this.#seen.has(path)) throw refused(`${shown(path)} appears twice`);
    this.#seen.add(path);
    await this.#folders(parts.slice(0, -1));
    const found = await lstat(join(this.#root, path)).catch(() => undefined);
    if (found === undefined) return;
    if (!this.#overwrite || !(found.isFile() || found.isSymbolicLink())) throw refused(`${shown(path)} exists already`);
    await unlink(join(this.#root, path));
  }

  /** Makes the folders down to `parts`; one that is a link, or anything but a folder, is refused. */
  async #folders(parts: readonly string[]): Promise<void> {
    for (let length = 1; length <= parts.length; length += 1) {
      const path = parts.slice(0, length).join('/');
      const found = await lstat(join(this.#root, path)).catch(() => undefined);
      if (found !== undefined && !found.isDirectory()) throw refused(`${shown(path)} is no folder`);
      if (found === undefined) {
        await mkdir(join(this.#root, path), 0o755).catch((cause: unknown) => {
          throw storeFailed(path, cause);
        });
      }
    }
  }

  async #create(path: string, executable: boolean): Promise<void> {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    this.#file = await open(join(this.#root, path), flags, executable ? 0o755 : 0o644).catch((cause: unknown) => {
      throw storeFailed(path, cause);
    });
  }

  async #append(data: Buffer): Promise<void> {
    await this.#file?.writeFile(data).catch((cause: unknown) => {
      throw storeFailed('a file', cause);
    });
  }
}

function refused(reason: string, cause?: unknown): LatentError {
  return new LatentError('MESSAGE_INVALID', `The files are refused: ${reason}.`, cause === undefined ? {} : { cause });
}

function tooLarge(reason: string, limits: FileLimits): LatentError {
  return new LatentError('JOB_FILES_TOO_LARGE', `The files exceed the limit: ${reason}.`, {
    details: { maxBytes: limits.maxBytes, maxEntries: limits.maxEntries },
  });
}

function storeFailed(path: string, cause: unknown): LatentError {
  return new LatentError('STORE_FAILED', `${shown(path)} cannot be written.`, { cause });
}

function shown(path: string): string {
  return JSON.stringify(path.slice(0, 200));
}
