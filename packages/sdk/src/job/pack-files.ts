import { constants } from 'node:fs';
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises';
import { LatentError } from '@latent/protocol';
import { Header, Pax } from 'tar';
import { defaultFileLimits, type FileLimits, foldPath } from './archive-path.ts';
import { type FileEntry, type FileSource, type LeftOut, listFiles } from './list-files.ts';

export interface PackedFiles {
  /** Of all files together. */
  readonly bytes: number;
  /** Files, folders and links. */
  readonly entries: number;
  /** What was not packed though no rule leaves it out. */
  readonly leftOut: readonly LeftOut[];
  /** `from` of the sources that do not exist. */
  readonly missing: readonly string[];
  /**
   * The tar stream, from its start at each call. The same files give the same bytes: sorted, no owners, one date.
   * Throws LatentError JOB_FILE_INVALID when a file is no longer as it was listed, STORE_FAILED, CANCELLED.
   */
  stream(options: { readonly signal: AbortSignal }): AsyncGenerator<Uint8Array>;
}

export interface PackOptions {
  readonly signal: AbortSignal;
  readonly limits?: FileLimits;
}

const chunkBytes = 64 * 1024;
const blockBytes = 512;
const biggestShown = 5;
/** Everything in an archive bears this date, so that the bytes depend on the files alone; zip tools know none before 1980. */
const mtime = new Date(Date.UTC(2000, 0, 1));

/**
 * Packs sources into one archive; where two bring the same file the later one counts. Safe on folders that strangers
 * write to: links are not followed, and a file that was swapped since it was listed is refused.
 *
 * @throws LatentError JOB_FILES_TOO_LARGE (names the biggest files), JOB_FILE_INVALID when two sources or two names
 *   clash, STORE_FAILED, CANCELLED.
 */
export async function packFiles(sources: readonly FileSource[], options: PackOptions): Promise<PackedFiles> {
  const limits = options.limits ?? defaultFileLimits;
  const entries = new Map<string, FileEntry>();
  const leftOut: LeftOut[] = [];
  const missing: string[] = [];
  for (const source of sources) {
    const listing = await listFiles(source, { maxEntries: limits.maxEntries, signal: options.signal });
    if (listing === undefined) missing.push(source.from);
    else {
      leftOut.push(...listing.leftOut);
      for (const entry of [...parentsOf(source.at), ...listing.entries]) put(entries, entry);
    }
  }
  const sorted = [...entries.values()].sort((left, right) => compareParts(left.path, right.path));
  refuseTwins(sorted);
  const bytes = sorted.reduce((sum, entry) => sum + (entry.kind === 'file' ? entry.bytes : 0), 0);
  if (bytes > limits.maxBytes || sorted.length > limits.maxEntries) throw tooLarge(sorted, bytes, limits);
  return {
    bytes,
    entries: sorted.length,
    leftOut,
    missing,
    stream: ({ signal }) => streamOf(sorted, signal),
  };
}

function parentsOf(path: string): FileEntry[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => ({ kind: 'folder', path: parts.slice(0, index + 1).join('/') }));
}

function put(entries: Map<string, FileEntry>, entry: FileEntry): void {
  const before = entries.get(entry.path);
  if (before !== undefined && (before.kind === 'folder') !== (entry.kind === 'folder')) {
    throw new LatentError('JOB_FILE_INVALID', `${entry.path} would be a folder and a file at once.`, {
      hint: 'Mount one of them elsewhere.',
      details: { path: entry.path },
    });
  }
  entries.set(entry.path, entry);
}

/** Like a walk through sorted folders: `a`, `a/b`, then `a.txt`. */
function compareParts(left: string, right: string): number {
  const a = left.replaceAll('/', '\0');
  const b = right.replaceAll('/', '\0');
  return a < b ? -1 : a > b ? 1 : 0;
}

function refuseTwins(entries: readonly FileEntry[]): void {
  const seen = new Map<string, string>();
  for (const { path } of entries) {
    const twin = seen.get(foldPath(path));
    if (twin !== undefined) {
      throw new LatentError('JOB_FILE_INVALID', `${twin} and ${path} differ in case or accents alone.`, {
        hint: 'Rename one, or name it in .skyignore: on some machines they would be one file.',
        details: { paths: [twin, path] },
      });
    }
    seen.set(foldPath(path), path);
  }
}

function tooLarge(entries: readonly FileEntry[], bytes: number, limits: FileLimits): LatentError {
  const biggest = entries
    .flatMap((entry) => (entry.kind === 'file' ? [entry] : []))
    .sort((left, right) => right.bytes - left.bytes)
    .slice(0, biggestShown)
    .map((file) => `${file.path} (${file.bytes} bytes)`);
  return new LatentError(
    'JOB_FILES_TOO_LARGE',
    `${entries.length} entries of ${bytes} bytes; the most are ${limits.maxEntries} and ${limits.maxBytes} bytes.`,
    {
      hint: `Name what the job does not need in .skyignore. The biggest: ${biggest.join(', ')}`,
      details: { bytes, entries: entries.length, maxBytes: limits.maxBytes, maxEntries: limits.maxEntries, biggest },
    },
  );
}

async function* streamOf(entries: readonly FileEntry[], signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for (const entry of entries) {
    if (signal.aborted) throw new LatentError('CANCELLED', 'Packing the files was stopped.');
    yield headerOf(entry);
    if (entry.kind === 'file') yield* contentOf(entry, signal);
  }
  yield Buffer.alloc(2 * blockBytes);
}

function headerOf(entry: FileEntry): Uint8Array {
  const path = entry.kind === 'folder' ? `${entry.path}/` : entry.path;
  const size = entry.kind === 'file' ? entry.bytes : 0;
  const linkpath = entry.kind === 'link' ? { linkpath: entry.target } : {};
  const mode = entry.kind === 'folder' || (entry.kind === 'file' && entry.executable) ? 0o755 : 0o644;
  const type = { file: 'File', folder: 'Directory', link: 'SymbolicLink' } as const;
  const header = new Header({ path, size, mode, mtime, type: type[entry.kind], ...linkpath });
  const needsPax = header.encode();
  const block = header.block ?? Buffer.alloc(0);
  return needsPax ? Buffer.concat([new Pax({ path, size, ...linkpath }).encode(), block]) : block;
}

async function* contentOf(file: Extract<FileEntry, { kind: 'file' }>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const handle = await openListed(file);
  try {
    let left = file.bytes;
    while (left > 0) {
      if (signal.aborted) throw new LatentError('CANCELLED', 'Packing the files was stopped.');
      const chunk = Buffer.alloc(Math.min(chunkBytes, left));
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, null);
      if (bytesRead === 0) throw changed(file);
      left -= bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
  const padding = (blockBytes - (file.bytes % blockBytes)) % blockBytes;
  if (padding > 0) yield Buffer.alloc(padding);
}

/** Opens what was listed or nothing: a folder on the way may have become a link, the file a pipe. */
async function openListed(file: Extract<FileEntry, { kind: 'file' }>): Promise<FileHandle> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(file.source, flags).catch((cause: unknown) => {
    throw new LatentError('STORE_FAILED', `${file.path} cannot be read.`, { cause, details: { path: file.path } });
  });
  try {
    const stats = await handle.stat();
    const opened = await readlink(`/proc/self/fd/${handle.fd}`).catch(() => realpath(file.source)); // no /proc on macOS
    if (!stats.isFile() || stats.size !== file.bytes || opened !== file.source) throw changed(file);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function changed(file: FileEntry): LatentError {
  return new LatentError('JOB_FILE_INVALID', `${file.path} changed while it was read.`, {
    retry: 'now',
    hint: 'Try again when nothing writes to it.',
    details: { path: file.path },
  });
}
