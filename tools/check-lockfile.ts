import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const lockSchema = z.object({
  packages: z.record(z.string(), z.object({ optionalDependencies: z.record(z.string(), z.string()).optional() })),
});

/**
 * `npm ci` refuses a lockfile that leaves out a platform package of any system, and npm leaves out those that the
 * registry in use could not show when it wrote the file.
 * @param root folder of the repository
 * @returns one line per package left out
 */
export async function checkLockfile(root: string): Promise<readonly string[]> {
  const { packages } = lockSchema.parse(JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')));
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => [`${path}/node_modules/${name}`, `node_modules/${name}`].every((key) => !(key in packages)))
      .map(([name, version]) => `${name}@${version}, wanted by ${path}: left out, so that \`npm ci\` fails`),
  );
}
