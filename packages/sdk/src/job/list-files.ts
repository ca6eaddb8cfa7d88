import { lstat, readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { LatentError } from '@latent/protocol';
import ignore, { type Ignore } from 'ignore';
import { archivePathParts, linkRefusal } from './archive-path.ts';

/** What to list: the file or folder `from` of `root`, and where it lands. */
export interface FileSource {
  /** Absolute path of a folder; nothing outside of it is read, whatever links say. */
  readonly root: string;
  /** Relative to `root`; empty for all of it. */
  readonly from: string;
  /** Path in the archive; empty puts the contents of a folder at its root. */
  readonly at: string;
  /** Honour `.skyignore`, else `.gitignore`, and leave `.git` out. */
  readonly ignoreRules: boolean;
}

/** One entry of an archive; `path` is relative, with `/`. */
export type FileEntry =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'file';
      readonly path: string;
      /** Absolute, free of links when it was listed. */
      readonly source: string;
      readonly bytes: number;
      readonly executable: boolean;
    };

/** Something that is not listed though no rule leaves it out. */
export interface LeftOut {
  readonly path: string;
  readonly reason: string;
}

export interface Listing {
  readonly entries: readonly FileEntry[];
  readonly leftOut: readonly LeftOut[];
}

interface Rules {
  /** Folder that the rules are relative to. */
  readonly folder: string;
  readonly rules: Ignore;
}

const maxRuleBytes = 256 * 1024;

/**
 * Lists a source, sorted by path, a folder before what is in it. Links are never followed; those that lead out of the
 * source, devices, sockets and pipes are left out and named. Undefined when there is nothing at `from`.
 *
 * @throws LatentError JOB_FILES_TOO_LARGE past `maxEntries`, STORE_FAILED when a folder cannot be read, CANCELLED.
 */
export async function listFiles(
  source: FileSource,
  options: { readonly maxEntries: number; readonly signal: AbortSignal },
): Promise<Listing | undefined> {
  const root = await realpathIfAny(source.root);
  const top = root === undefined ? undefined : await realpathIfAny(join(root, source.from));
  if (root === undefined || top === undefined) return undefined;
  if (top !== root && !top.startsWith(root + sep)) {
    return { entries: [], leftOut: [{ path: source.from, reason: 'leads out of its folder' }] };
  }
  const walk = new Walk(top, source, options);
  await walk.start();
  return { entries: walk.entries, leftOut: walk.leftOut };
}

class Walk {
  readonly entries: FileEntry[] = [];
  readonly leftOut: LeftOut[] = [];
  readonly #top: string;
  readonly #source: FileSource;
  readonly #options: { readonly maxEntries: number; readonly signal: AbortSignal };
  #readsGitRules = false;

  constructor(top: string, source: FileSource, options: { readonly maxEntries: number; readonly signal: AbortSignal }) {
    this.#top = top;
    this.#source = source;
    this.#options = options;
  }

  async start(): Promise<void> {
    const stats = await lstat(this.#top);
    if (!stats.isDirectory()) {
      await this.#add(this.#top, this.#source.at, 0);
      return;
    }
    if (this.#source.at !== '') this.#push({ kind: 'folder', path: this.#source.at });
    await this.#folder(this.#top, this.#source.at, 0, await this.#topRules());
  }

  /** `.skyignore` counts in the top folder alone, and then no `.gitignore` does. */
  async #topRules(): Promise<Rules[]> {
    if (!this.#source.ignoreRules) return [];
    const sky = await readRules(join(this.#top, '.skyignore'));
    this.#readsGitRules = sky === undefined;
    const rules = sky ?? (await readRules(join(this.#top, '.git', 'info', 'exclude')));
    return rules === undefined ? [] : [{ folder: this.#top, rules }];
  }

  async #folder(folder: string, at: string, depth: number, outer: readonly Rules[]): Promise<void> {
    if (this.#options.signal.aborted) throw new LatentError('CANCELLED', 'Listing the files was stopped.');
    const git = this.#readsGitRules ? await readRules(join(folder, '.gitignore')) : undefined;
    const rules = git === undefined ? outer : [...outer, { folder, rules: git }];
    const names = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
      throw new LatentError('STORE_FAILED', `The folder ${folder} cannot be read.`, { cause });
    });
    names.sort((left, right) => (left.name < right.name ? -1 : 1));
    for (const { name } of names) {
      const path = join(folder, name);
      const archivePath = at === '' ? name : `${at}/${name}`;
      const stats = await lstat(path);
      if (this.#source.ignoreRules && (name === '.git' || isIgnored(path, stats.isDirectory(), rules))) continue;
      const isFolder = await this.#add(path, archivePath, depth);
      if (isFolder) await this.#folder(path, archivePath, depth + 1, rules);
    }
  }

  /** True when it is a folder that was added. */
  async #add(path: string, at: string, depth: number): Promise<boolean> {
    const parts = archivePathParts(at);
    if ('refused' in parts) {
      this.leftOut.push({ path: at.slice(0, 200), reason: parts.refused });
      return false;
    }
    const stats = await lstat(path);
    if (stats.isDirectory()) {
      this.#push({ kind: 'folder', path: at });
      return true;
    }
    if (stats.isFile()) {
      this.#push({ kind: 'file', path: at, source: path, bytes: stats.size, executable: (stats.mode & 0o100) !== 0 });
    } else if (stats.isSymbolicLink()) {
      const target = await readlink(path);
      const reason = linkRefusal(target, depth);
      if (reason === undefined) this.#push({ kind: 'link', path: at, target });
      else this.leftOut.push({ path: at, reason });
    } else this.leftOut.push({ path: at, reason: 'is neither a file, a folder nor a link' });
    return false;
  }

  #push(entry: FileEntry): void {
    this.entries.push(entry);
    if (this.entries.length <= this.#options.maxEntries) return;
    throw new LatentError('JOB_FILES_TOO_LARGE', `More than ${this.#options.maxEntries} files in ${this.#top}.`, {
      hint: `The most are under ${fullest(this.entries)}. Name what the job does not need in .skyignore.`,
      details: { folder: this.#top, maxEntries: this.#options.maxEntries, fullest: fullest(this.entries) },
    });
  }
}

async function readRules(file: string): Promise<Ignore | undefined> {
  const stats = await lstat(file).catch(() => undefined);
  if (stats === undefined || !stats.isFile() || stats.size > maxRuleBytes) return undefined;
  return ignore().add(await readFile(file, 'utf8'));
}

/** The innermost rules that say anything about a path decide, as in git. */
function isIgnored(path: string, isFolder: boolean, rules: readonly Rules[]): boolean {
  for (const { folder, rules: own } of rules.toReversed()) {
    const tested = own.test(relative(folder, path).split(sep).join('/') + (isFolder ? '/' : ''));
    if (tested.ignored) return true;
    if (tested.unignored) return false;
  }
  return false;
}

async function realpathIfAny(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR'))
      return undefined;
    throw new LatentError('STORE_FAILED', `${path} cannot be read.`, { cause });
  }
}

function fullest(entries: readonly FileEntry[]): string {
  const counts = new Map<string, number>();
  for (const { path } of entries) {
    const first = path.split('/')[0] ?? '';
    counts.set(first, (counts.get(first) ?? 0) + 1);
  }
  return [...counts].sort((left, right) => right[1] - left[1])[0]?.[0] ?? '';
}
