import { mkdir } from 'node:fs/promises';
import { shellQuote } from '../supervised/shell-quote.ts';
import type { SandboxTools } from './sandbox-tools.ts';

/**
 * Empty folders of the machine, the same for all jobs: each job's bubblewrap sees its own folders there, in a mount
 * namespace of its own.
 */
const lendingFolder = '/run/latent-lend';

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

/** Makes the places that `asJobUser` shows folders in. */
export async function readyLending(folders: LentFolders): Promise<void> {
  const lent = lentFolders(folders);
  for (const place of [lent.workdir, ...lent.toolchains]) await mkdir(place, { recursive: true, mode: 0o755 });
}

/**
 * For an agent that is root: gives the renter's files to the job's user, shows the folders in a place that anybody can
 * reach, as they may lie where that user cannot go, then gives up root for good. Everything after runs as it would for an
 * ordinary user.
 * @param lines shell lines that are run last before
 */
export function asJobUser(
  tools: SandboxTools,
  uid: number,
  folders: LentFolders,
  lines: readonly string[],
): readonly string[] {
  const lent = lentFolders(folders);
  const from = [folders.workdir, ...folders.toolchains];
  const to = [lent.workdir, ...lent.toolchains];
  const give = `chown -R -h -P ${uid}:${uid} -- ${shellQuote(folders.workdir)} || exit 125`;
  const binds = from.map((folder, index) => `mount --bind ${shellQuote(folder)} ${to[index]} || exit 125`);
  return [
    ...[tools.unshare, '--mount', '--propagation', 'private'],
    ...['/bin/sh', '-c', [give, ...binds, ...lines, 'exec "$@"'].join('\n'), 'sh'],
    ...dropRoot(tools, uid),
  ];
}

export function dropRoot(tools: SandboxTools, uid: number): readonly string[] {
  return [tools.setpriv, `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--inh-caps=-all', '--'];
}
