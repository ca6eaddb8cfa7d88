import { shellQuote } from '../supervised/shell-quote.ts';
import type { SandboxTools } from './sandbox-tools.ts';

/** Empty folder of the machine; a job's folders are shown there to its bubblewrap, in a mount namespace of its own. */
export const lendingFolder = '/run/latent-lend';
const mountLimit = 'mode=0755,size=1m';

export interface LentFolders {
  readonly workdir: string;
  readonly toolchains: readonly string[];
}

/** Where bubblewrap finds the folders once they are lent. */
export function lentFolders(folders: LentFolders): LentFolders {
  return {
    workdir: `${lendingFolder}/work`,
    toolchains: folders.toolchains.map((_, index) => `${lendingFolder}/toolchain-${index}`),
  };
}

/**
 * For an agent that is root: shows the folders in a place that anybody can reach, as they may lie where the job's user
 * cannot go, then gives up root for good. Everything after runs as it would for an ordinary user.
 */
export function asJobUser(tools: SandboxTools, uid: number, folders: LentFolders): readonly string[] {
  const lent = lentFolders(folders);
  const pairs = [
    [folders.workdir, lent.workdir],
    ...folders.toolchains.map((folder, index) => [folder, lent.toolchains[index]]),
  ] as const;
  const lines = [
    `mount -t tmpfs -o ${mountLimit} latent ${lendingFolder} || exit 125`,
    ...pairs.map(([from = '', to = '']) => `mkdir ${to} && mount --bind ${shellQuote(from)} ${to} || exit 125`),
    'exec "$@"',
  ];
  return [
    ...[tools.unshare, '--mount', '--propagation', 'private', '/bin/sh', '-c', lines.join('\n'), 'sh'],
    ...dropRoot(tools, uid),
  ];
}

export function dropRoot(tools: SandboxTools, uid: number): readonly string[] {
  return [tools.setpriv, `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--inh-caps=-all', '--'];
}
