import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  type Stats,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { LayerRefused } from './layer-refused.ts';

/** As many as the kernel follows. */
const MAX_HOPS = 40;
const MAX_NAME_BYTES = 255;
const MAX_PATH_CHARS = 4096;
/** Kept of each file's mode; set-id and sticky bits are not. */
const MODE_BITS = 0o777;

/** Who has to be able to read and change the files: their owner alone, or any user that gets to see them. */
export type TreeAccess = 'owner' | 'anyone';

export interface OpenFile {
  readonly write: (bytes: Uint8Array) => void;
  /** Sets mode and time, and closes. */
  readonly close: () => void;
}

/**
 * The files of an image as its layers are laid over each other, one after the other. Nobody else may change the folder
 * meanwhile: that is why looking at a path and then using it is safe. Paths are taken from the root of the image, and links
 * in them lead from there too, so that nothing gets out. All calls wait for the disk: this belongs in a thread of its own.
 */
export class LayerTree {
  readonly #root: string;
  readonly #access: TreeAccess;
  /** Paths without links that are known to be folders. */
  readonly #folders = new Set<string>(['']);
  /** Paths that the layer at hand made, or made something in. */
  #own = new Set<string>();

  constructor(root: string, access: TreeAccess) {
    this.#root = root;
    this.#access = access;
  }

  beginLayer(): void {
    this.#own = new Set();
  }

  folder(name: string, mode: number): void {
    const parts = partsOf(name);
    if (parts.length === 0) return;
    const path = this.#place(parts);
    const found = this.#look(path);
    if (found !== undefined && !found.isDirectory()) this.#remove(path);
    if (found === undefined || !found.isDirectory()) mkdirSync(this.#at(path));
    chmodSync(this.#at(path), this.#folderMode(mode));
    this.#folders.add(path);
    this.#claim(path);
  }

  file(name: string, mode: number, mtime: Date | undefined): OpenFile {
    const path = this.#makeWay(name);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const fd = openSync(this.#at(path), flags, 0o600);
    return {
      write: (bytes) => {
        for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      },
      close: () => {
        try {
          fchmodSync(fd, this.#fileMode(mode));
          // Python looks at the time of a file before it believes what was compiled from it.
          if (mtime !== undefined) futimesSync(fd, mtime, mtime);
        } finally {
          closeSync(fd);
        }
      },
    };
  }

  link(name: string, target: string): void {
    if (target === '' || target.length > MAX_PATH_CHARS || target.includes('\0')) {
      throw new LayerRefused('IMAGE_INVALID', `the link ${shown(name)} leads to no path`);
    }
    symlinkSync(target, this.#at(this.#makeWay(name)));
  }

  hardLink(name: string, target: string): void {
    const parts = partsOf(target);
    const from = this.#below(this.#resolve(parts.slice(0, -1), false), parts.at(-1) ?? '');
    const found = this.#look(from);
    if (found === undefined || !(found.isFile() || found.isSymbolicLink())) {
      throw new LayerRefused('IMAGE_INVALID', `the hard link ${shown(name)} leads to no file of the image`);
    }
    if (from.startsWith(`${this.#place(partsOf(name))}/`)) {
      throw new LayerRefused('IMAGE_INVALID', `the hard link ${shown(name)} takes the place of what it leads to`);
    }
    const path = this.#makeWay(name, from);
    if (path !== from) linkSync(this.#at(from), this.#at(path));
  }

  /** `.wh.NAME`: what lower layers have at this path is gone. */
  whiteOut(folder: string, name: string): void {
    if (name === '' || name === '.' || name === '..') {
      throw new LayerRefused('IMAGE_INVALID', `a whiteout in ${shown(folder)} names nothing`);
    }
    const at = this.#resolveIfThere(partsOf(folder));
    if (at !== undefined) this.#hideLower(this.#below(at, name));
  }

  /** `.wh..wh..opq`: what lower layers have in this folder is gone. */
  makeOpaque(folder: string): void {
    const at = this.#resolveIfThere(partsOf(folder));
    if (at !== undefined) this.#hideChildren(at);
  }

  #hideLower(path: string): void {
    const found = this.#look(path);
    if (found === undefined) return;
    if (!this.#own.has(path)) this.#remove(path);
    else if (found.isDirectory()) this.#hideChildren(path);
  }

  #hideChildren(path: string): void {
    for (const name of readdirSync(this.#at(path))) this.#hideLower(path === '' ? name : `${path}/${name}`);
  }

  /** Where a new file goes: nothing is there afterwards, but folders above it. */
  #makeWay(name: string, keep?: string): string {
    const parts = partsOf(name);
    if (parts.length === 0) throw new LayerRefused('IMAGE_INVALID', 'the root of a layer is no folder');
    const path = this.#place(parts);
    if (path !== keep && this.#look(path) !== undefined) this.#remove(path);
    this.#claim(path);
    return path;
  }

  #place(parts: readonly string[]): string {
    return this.#below(this.#resolve(parts.slice(0, -1), true), parts.at(-1) ?? '');
  }

  #resolveIfThere(parts: readonly string[]): string | undefined {
    try {
      return this.#resolve(parts, false);
    } catch (thrown) {
      if (thrown instanceof LayerRefused) return undefined;
      throw thrown;
    }
  }

  /** The folder that a path leads to, without links. */
  #resolve(parts: readonly string[], make: boolean): string {
    const whole = parts.join('/');
    if (this.#folders.has(whole)) return whole;
    const left = [...parts];
    let at: string[] = [];
    let hops = 0;
    for (let part = left.shift(); part !== undefined; part = left.shift()) {
      if (part === '' || part === '.') continue;
      if (part === '..') {
        at.pop();
        continue;
      }
      const path = this.#below(at.join('/'), part);
      const found = this.#folders.has(path) ? undefined : this.#look(path);
      if (found?.isSymbolicLink() === true) {
        hops += 1;
        if (hops > MAX_HOPS) throw new LayerRefused('IMAGE_INVALID', `${shown(whole)} leads through too many links`);
        const target = readlinkSync(this.#at(path));
        if (target.startsWith('/')) at = [];
        left.unshift(...target.split('/'));
        continue;
      }
      if (found === undefined && !this.#folders.has(path)) {
        if (!make) throw new LayerRefused('IMAGE_INVALID', `${shown(whole)} is not there`);
        mkdirSync(this.#at(path));
        chmodSync(this.#at(path), this.#folderMode(0o755));
        this.#claim(path);
      } else if (found !== undefined && !found.isDirectory()) {
        throw new LayerRefused('IMAGE_INVALID', `${shown(whole)} leads through a file`);
      }
      this.#folders.add(path);
      at.push(part);
    }
    return at.join('/');
  }

  #below(folder: string, name: string): string {
    const path = folder === '' ? name : `${folder}/${name}`;
    if (path.length <= MAX_PATH_CHARS) return path;
    throw new LayerRefused('IMAGE_INVALID', `${shown(path)} is too long a path`);
  }

  #claim(path: string): void {
    for (let at = path; at !== '' && !this.#own.has(at); at = at.slice(0, Math.max(at.lastIndexOf('/'), 0))) {
      this.#own.add(at);
    }
  }

  #remove(path: string): void {
    rmSync(this.#at(path), { recursive: true });
    // What was below a folder that is gone is found out anew.
    if (this.#folders.delete(path)) {
      this.#folders.clear();
      this.#folders.add('');
    }
  }

  #look(path: string): Stats | undefined {
    return lstatSync(this.#at(path), { throwIfNoEntry: false });
  }

  #at(path: string): string {
    return `${this.#root}/${path}`;
  }

  #fileMode(mode: number): number {
    const runs = (mode & 0o111) !== 0;
    if (this.#access === 'owner') return (mode & MODE_BITS) | 0o600;
    return runs ? 0o777 : 0o666;
  }

  #folderMode(mode: number): number {
    return this.#access === 'owner' ? (mode & MODE_BITS) | 0o700 : 0o777;
  }
}

/** A path of an archive from the root; one that climbs is refused, an absolute one begins at the same root. */
function partsOf(name: string): string[] {
  if (name.length > MAX_PATH_CHARS || name.includes('\0')) {
    throw new LayerRefused('IMAGE_INVALID', `${shown(name)} is no path`);
  }
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  for (const part of parts) {
    if (part === '..') throw new LayerRefused('IMAGE_INVALID', `${shown(name)} climbs out of its folder`);
    if (Buffer.byteLength(part) > MAX_NAME_BYTES) throw new LayerRefused('IMAGE_INVALID', `${shown(name)} is too long`);
  }
  return parts;
}

function shown(path: string): string {
  return JSON.stringify(path.slice(0, 200));
}
