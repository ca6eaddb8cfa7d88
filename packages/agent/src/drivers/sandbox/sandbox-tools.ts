import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { systemPath } from '../supervised/system-path.ts';

/** Paths of the programs that the sandbox is made of. All but bubblewrap are of util-linux, which every machine has. */
export interface SandboxTools {
  readonly bwrap: string;
  readonly nsenter: string;
  readonly unshare: string;
  readonly setpriv: string;
}

export type ToolsAnswer =
  | { readonly found: true; readonly tools: SandboxTools }
  | { readonly found: false; readonly missing: string };

/** Looks in the folders of the system only: a job sees those, and nobody but root can plant a program there. */
export async function findSandboxTools(path = systemPath): Promise<ToolsAnswer> {
  const names = ['bwrap', 'nsenter', 'unshare', 'setpriv'] as const;
  const [bwrap, nsenter, unshare, setpriv] = await Promise.all(names.map((name) => findProgram(name, path)));
  if (bwrap === undefined) return { found: false, missing: 'bwrap' };
  if (nsenter === undefined) return { found: false, missing: 'nsenter' };
  if (unshare === undefined) return { found: false, missing: 'unshare' };
  if (setpriv === undefined) return { found: false, missing: 'setpriv' };
  return { found: true, tools: { bwrap, nsenter, unshare, setpriv } };
}

async function findProgram(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(':')) {
    const candidate = `${folder}/${name}`;
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
