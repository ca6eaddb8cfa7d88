import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listFiles } from './list-files.ts';

/** Words of GLOSSARY.md's "never say" that have no honest second meaning here, and what to say. */
const NEVER: Readonly<Record<string, string>> = {
  provider: 'operator',
  tenant: 'renter',
  requestor: 'renter',
  bidder: 'operator',
  miner: 'operator',
};

/** Where such a word is meant as a word of somebody else's. */
const ALLOWED: readonly { readonly path: RegExp; readonly reason: string }[] = [
  { path: /^GLOSSARY\.md$/, reason: 'lists the words to avoid' },
  { path: /^tools\/check-words(\.test)?\.ts$/, reason: 'lists the words to look for' },
];

/**
 * Looks for forbidden words in prose and in names, whole words only: `computeProvider` and `PROVIDERS` hold one,
 * `provides` and `determiner` do not.
 * @param root folder of the repository
 * @returns one line per place
 */
export async function checkWords(root: string): Promise<readonly string[]> {
  const paths = (await listFiles(root, ['.md', '.ts', '.tsx', '.sol'])).filter(
    (path) => !ALLOWED.some((allowed) => allowed.path.test(path)),
  );
  const found = await Promise.all(
    paths.map(async (path) => {
      const lines = (await readFile(join(root, path), 'utf8')).split('\n');
      const places = lines.flatMap((line, index) =>
        findWords(line).map((word) => ({ at: `${path}:${index + 1}`, word })),
      );
      const inName = findWords(path).map((word) => ({ at: path, word }));
      return [...inName, ...places].map(({ at, word }) => `${at}: "${word}", say "${NEVER[word]}" (GLOSSARY.md)`);
    }),
  );
  return found.flat();
}

/** Forbidden words in a text, in the singular, lower case, in order. */
export function findWords(text: string): readonly string[] {
  const words = text.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? [];
  return words.map((word) => word.toLowerCase().replace(/s$/, '')).filter((word) => Object.hasOwn(NEVER, word));
}
