import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LatentError } from '@latent/protocol';
import { type Hex, isHex } from 'viem';
import { z } from 'zod';

export interface PinnedPackage {
  readonly name: string;
  readonly version: string;
  /** As npm states it: `sha512-…`. */
  readonly integrity: string;
}

const run = promisify(execFile);
const artifactSchema = z.object({
  bytecode: z.object({ object: z.string().refine((text): text is Hex => isHex(text), 'not linked') }),
});

/**
 * Fetches a package of npm into a folder, without installing it: no script of it runs, and it becomes part of nothing here.
 * @returns the folder with its files
 * @throws LatentError CONFIG_INVALID when it is another one than the pinned, Error of npm when there is none
 */
export async function fetchPackage(pinned: PinnedPackage, into: string, signal: AbortSignal): Promise<string> {
  const { name, version, integrity } = pinned;
  await run('npm', ['pack', `${name}@${version}`, '--ignore-scripts', '--pack-destination', into], {
    signal,
    cwd: into,
  });
  const [file] = (await readdir(into)).filter((entry) => entry.endsWith('.tgz'));
  if (file === undefined) throw new LatentError('CONFIG_INVALID', `npm left no package ${name}.`);
  const hash = createHash('sha512')
    .update(await readFile(join(into, file)))
    .digest('base64');
  if (`sha512-${hash}` !== integrity) {
    throw new LatentError('CONFIG_INVALID', `${name}@${version} is sha512-${hash}, not ${integrity}.`);
  }
  await run('tar', ['xzf', file], { signal, cwd: into });
  return join(into, 'package');
}

/** Creation bytecode of a contract, from the artifacts that the package brings. */
export async function readBytecode(folder: string, contract: string): Promise<Hex> {
  const text = await readFile(join(folder, 'artifacts', `${contract}.json`), 'utf8');
  return artifactSchema.parse(JSON.parse(text)).bytecode.object;
}
