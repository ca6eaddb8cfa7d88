import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Result } from './print-result.ts';

const RESULTS = join(import.meta.dirname, '..', 'results');

/** Writes `bench/results/NAME-DAY.json`, over one of the same day. @returns its path */
export async function saveResult(result: Result): Promise<string> {
  const path = join(RESULTS, `${result.benchmark}-${result.machine.date.slice(0, 10)}.json`);
  await mkdir(RESULTS, { recursive: true });
  await writeFile(path, `${JSON.stringify(result, undefined, 2)}\n`);
  return path;
}
