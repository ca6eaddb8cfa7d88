/** How much one set of files may hold, on either side. */
export interface FileLimits {
  /** Of all files together. */
  readonly maxBytes: number;
  /** Files, folders and links. */
  readonly maxEntries: number;
}

export const defaultFileLimits: FileLimits = { maxBytes: 1024 ** 3, maxEntries: 20_000 };

const maxPathBytes = 1024;
const maxNameBytes = 255;
const maxDepth = 64;

/** The tar library mangles long names with a line break, and a terminal obeys the others. */
function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

/** Parts of a path inside of an archive, or why it may not stand there. An empty list is the archive's own root. */
export function archivePathParts(path: string): readonly string[] | { readonly refused: string } {
  if (path.startsWith('/')) return { refused: 'is absolute' };
  if (hasControl(path)) return { refused: 'holds a control character' };
  if (Buffer.byteLength(path) > maxPathBytes) return { refused: `is longer than ${maxPathBytes} bytes` };
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) return { refused: 'climbs with ..' };
  if (parts.length > maxDepth) return { refused: `is deeper than ${maxDepth} folders` };
  if (parts.some((part) => Buffer.byteLength(part) > maxNameBytes)) {
    return { refused: `has a name of more than ${maxNameBytes} bytes` };
  }
  return parts;
}

/**
 * Why a symbolic link may not stand in an archive; undefined if it may. Allowed are relative targets whose `..` come
 * first and climb no further than the root. A `..` behind a name is refused, since that name may be a link itself and
 * then `..` is not where it seems to be.
 *
 * @param depth Folders between the root and the link, all of them real folders.
 */
export function linkRefusal(target: string, depth: number): string | undefined {
  if (target === '') return 'links to nothing';
  if (target.startsWith('/')) return `links to the absolute path ${target.slice(0, 100)}`;
  if (hasControl(target)) return 'has a target with a control character';
  if (Buffer.byteLength(target) > maxPathBytes) return 'has a target that is too long';
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  const firstName = parts.findIndex((part) => part !== '..');
  const climbs = firstName === -1 ? parts.length : firstName;
  if (climbs > depth || parts.slice(climbs).includes('..'))
    return `links out of its folder, to ${target.slice(0, 100)}`;
  return undefined;
}

/** Two names with one fold would be one file where the file system ignores case or composes accents. */
export function foldPath(path: string): string {
  return path.normalize('NFC').toLowerCase();
}
