import { execFile } from 'node:child_process';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { LatentError } from '@latent/protocol';
import type { ImageTree } from '../../images/image-tree.ts';
import { shellQuote } from '../supervised/shell-quote.ts';
import { systemPath } from '../supervised/system-path.ts';
import type { SandboxTools } from './sandbox-tools.ts';

/** Where an agent that is root shows a job the files of its image; a mount namespace of its own makes it the job's alone. */
const lentRoot = '/run/latent-lend/root';

/**
 * How a job gets files that it may change while the image stays what it was: `overlay` lays a folder of the lease over the image, in
 * a namespace; `copy` is for machines that let us mount none.
 */
export type RootKind = 'overlay' | 'copy';

export interface ImageRoot {
  readonly kind: RootKind;
  /** The lease's folder for its image. */
  readonly folder: string;
  /** The image's own files, which nobody changes. */
  readonly lower: string;
  /** Where bubblewrap finds the files. */
  readonly path: string;
  /** User to be given what the job changed before, where the agent is root. */
  readonly uid: number | undefined;
}

const run = promisify(execFile);
const TRIAL_MS = 10_000;
/** In the options of a mount these part one from the next. */
const UNSAFE = /[^A-Za-z0-9_./-]/;

/** Whether this machine lets us lay folders over each other in `folder`, found out by doing so. Never throws. */
export async function probeOverlay(tools: SandboxTools, folder: string, root: boolean): Promise<boolean> {
  const trial = join(folder, `trial-${process.pid}`);
  try {
    for (const name of ['lower', 'upper', 'work', 'merged']) await mkdir(join(trial, name), { recursive: true });
    const mount = overlayLines({ lower: 'lower', root, at: 'merged' });
    const lines = [`cd ${shellQuote(trial)} || exit 125`, ...mount, ': >merged/made || exit 125'];
    await run('/bin/sh', ['-c', 'exec "$@"', 'sh', ...inNamespace(tools, root, lines), 'true'], {
      timeout: TRIAL_MS,
      env: { PATH: systemPath },
    });
    return true;
  } catch {
    return false;
  } finally {
    await rm(trial, { recursive: true, force: true });
  }
}

/** Makes ready, on disk, what `enterRootLines` mounts. The first step of a job that gets a copy waits for it. */
export async function readyImageRoot(
  tree: ImageTree,
  of: {
    readonly kind: RootKind;
    readonly folder: string;
    readonly uid: number | undefined;
    readonly signal: AbortSignal;
  },
): Promise<ImageRoot> {
  const { folder, uid, signal } = of;
  const kind = UNSAFE.test(relative(folder, tree.root)) ? 'copy' : of.kind;
  const own = join(folder, kind === 'copy' ? 'copy' : 'merged');
  if (uid !== undefined) await mkdir(lentRoot, { recursive: true, mode: 0o755 });
  if (kind === 'overlay') {
    for (const name of ['upper', 'work', 'merged']) await mkdir(join(folder, name), { recursive: true, mode: 0o755 });
  } else if (!(await isThere(own))) await copyTree(tree.root, own, signal);
  return { kind, folder, lower: tree.root, path: uid === undefined ? own : lentRoot, uid };
}

async function copyTree(from: string, to: string, signal: AbortSignal): Promise<void> {
  const part = `${to}.part`;
  await rm(part, { recursive: true, force: true });
  try {
    await run('cp', ['-a', '--reflink=auto', '--', from, part], { signal, env: { PATH: systemPath } });
  } catch (cause) {
    await rm(part, { recursive: true, force: true });
    throw new LatentError('IMAGE_NO_SPACE', 'The files of the image cannot be copied for the job.', {
      cause,
      hint: 'Rent another machine; its operator has to free disk space.',
    });
  }
  await rename(part, to);
}

/** Folders of the machine's making that the job's root has to have, whatever image and job did with their names. */
const places = ['proc', 'dev', 'work', 'etc', 'tmp'];

/**
 * Shell lines, run as root (of the machine or of a namespace) in a mount namespace of the job's own, that bring the image's
 * files to where bubblewrap takes them. Nothing of the job runs then, so that looking at a path and using it is safe: what
 * bubblewrap mounts on is a folder and no link that leads it elsewhere.
 * @param files regular files of the machine that become the job's, by their name in its /etc
 */
export function rootLines(root: ImageRoot, files: Readonly<Record<string, string>>): readonly string[] {
  const { folder, lower, path, uid } = root;
  const own = root.kind === 'overlay' ? 'upper' : 'copy';
  const give = uid === undefined ? [] : [`chown -R -h -P ${uid}:${uid} -- ${own} || exit 125`];
  const at = shellQuote(path);
  return [
    `cd ${shellQuote(folder)} || exit 125`,
    ...give,
    ...(root.kind === 'overlay'
      ? overlayLines({ lower: relative(folder, lower), root: uid !== undefined, at: path })
      : []),
    ...(root.kind === 'copy' && uid !== undefined ? [`mount --bind copy ${at} || exit 125`] : []),
    ...places.map(
      (name) =>
        `if [ -L ${at}/${name} ] || [ ! -d ${at}/${name} ]; then rm -f ${at}/${name}; mkdir -m 0777 ${at}/${name} || exit 125; fi`,
    ),
    ...Object.entries(files).flatMap(([name, from]) => [
      `rm -rf ${at}/etc/${name} && cp -- ${shellQuote(from)} ${at}/etc/${name} || exit 125`,
      `chmod 0666 ${at}/etc/${name} || exit 125`,
    ]),
    'cd / || exit 125',
  ];
}

/** `userxattr` is how one who is not root of the machine may do it; what the kernel keeps in `work` has to be removable later. */
function overlayLines(of: { readonly lower: string; readonly root: boolean; readonly at: string }): readonly string[] {
  const options = `lowerdir=${of.lower},upperdir=upper,workdir=work${of.root ? '' : ',userxattr'}`;
  return [
    `mount -t overlay overlay -o ${options} ${shellQuote(of.at)} || exit 125`,
    'chmod 0700 work/work || exit 125',
  ];
}

/** A command line that runs the lines in namespaces of their own, then what follows. */
export function inNamespace(tools: SandboxTools, root: boolean, lines: readonly string[]): readonly string[] {
  const asRoot = root ? [] : ['--user', '--map-root-user'];
  const script = [...lines, 'exec "$@"'].join('\n');
  return [tools.unshare, ...asRoot, '--mount', '--propagation', 'private', '/bin/sh', '-c', script, 'sh'];
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
