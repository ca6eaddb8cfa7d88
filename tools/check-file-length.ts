import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listFiles } from './list-files.ts';

/** Most lines of a source file. */
const MAX_LINES = 400;

/**
 * @param root folder of the repository
 * @param generated paths that no hand wrote, and that may be as long as they like
 * @returns one line per source file that is too long
 */
export async function checkFileLength(root: string, generated: ReadonlySet<string>): Promise<readonly string[]> {
  const sources = (await listFiles(root, ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.sol'])).filter(
    (path) => !generated.has(path),
  );
  const found = await Promise.all(
    sources.map(async (path) => {
      const lines = (await readFile(join(root, path), 'utf8')).split('\n').length - 1;
      return lines > MAX_LINES ? [`${path}: ${lines} lines, at most ${MAX_LINES}`] : [];
    }),
  );
  return found.flat();
}
