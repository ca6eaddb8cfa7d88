import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { hasCode } from '../files/has-code.ts';

const MAX_BYTES = 8_192;

/** The last lines of a log from byte `from` on, without colours: at most `count`, and 8 KiB. Empty if there is no log. */
export function lastLines(path: string, count: number, from = 0): readonly string[] {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT')) return [];
    throw thrown;
  }
  try {
    const start = Math.max(from, fstatSync(file).size - MAX_BYTES);
    const bytes = Buffer.alloc(MAX_BYTES);
    const text = bytes.toString('utf8', 0, readSync(file, bytes, 0, MAX_BYTES, start));
    return stripVTControlCharacters(text)
      .split('\n')
      .map((line) => line.trimEnd())
      .filter((line) => line !== '')
      .slice(-count);
  } finally {
    closeSync(file);
  }
}

/** The line that most likely says what went wrong: the first that names an error (its stack comes after), else the last. */
export function tellingLine(lines: readonly string[]): string | undefined {
  return lines.find((line) => /^(\w+)?error\b/i.test(line)) ?? lines.at(-1);
}
