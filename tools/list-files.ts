import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './run-command.ts';

/**
 * The repository's own files: tracked, or new and not ignored.
 * @param root folder of the repository
 * @param extensions with the dot, for instance `.ts`
 * @returns paths relative to the root, with `/`, sorted
 */
export async function listFiles(root: string, extensions: readonly string[]): Promise<readonly string[]> {
  const { exitCode, stdout, stderr } = await runCommand(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { cwd: root },
  );
  if (exitCode !== 0) throw new Error(`git could not list the files of ${root}: ${stderr.trim()}`);
  return [...new Set(stdout.split('\0'))]
    .filter((path) => extensions.some((extension) => path.endsWith(extension)) && existsSync(join(root, path)))
    .sort();
}
