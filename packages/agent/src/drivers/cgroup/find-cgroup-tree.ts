import { join } from 'node:path';

/** Where job cgroups can be made. The folders need not exist yet. */
export type CgroupTree =
  | {
      readonly version: 2;
      /** Mount point of the cgroup2 file system: the ancestors of `parent` begin here. */
      readonly mount: string;
      readonly parent: string;
      /** Set where processes have to leave a cgroup before its children can have limits: the agent moves itself here. */
      readonly agentLeaf?: string;
    }
  | { readonly version: 1; readonly parents: Readonly<Record<string, string>> };

export interface CgroupSources {
  /** Text of /proc/self/mountinfo. */
  readonly mountinfo: string;
  /** Text of /proc/self/cgroup. */
  readonly selfCgroup: string;
  /** As root the jobs lie at the top, so that a service manager that ends the agent's own cgroup leaves them alone. */
  readonly root: boolean;
}

export const controllers = ['memory', 'cpu', 'pids'] as const;
const accounting = 'cpuacct';
const folder = 'latent';

/**
 * Candidates, the better ones first: cgroup v2 before v1. On hybrid machines a controller is in one of the two only, so
 * whether a candidate works is found out by making a cgroup in it.
 */
export function findCgroupTrees(sources: CgroupSources): readonly CgroupTree[] {
  const own = ownCgroups(sources.selfCgroup);
  const mounts = cgroupMounts(sources.mountinfo);
  const trees: CgroupTree[] = [];
  const unified = mounts.find((mount) => mount.kind === 'cgroup2');
  if (unified !== undefined) trees.push(unifiedTree(unified, own.get('') ?? '/', sources.root));
  const parents: Record<string, string> = {};
  for (const name of [...controllers, accounting]) {
    const mount = mounts.find((one) => one.kind === 'cgroup' && one.options.includes(name));
    if (mount === undefined) continue;
    parents[name] = sources.root
      ? join(mount.path, folder)
      : join(mount.path, withinMount(mount, own.get(name) ?? '/'), folder);
  }
  if (controllers.every((name) => parents[name] !== undefined)) trees.push({ version: 1, parents });
  return trees;
}

function unifiedTree(mount: CgroupMount, own: string, root: boolean): CgroupTree {
  if (root) return { version: 2, mount: mount.path, parent: join(mount.path, folder) };
  const path = join(mount.path, withinMount(mount, own));
  const delegated = path.endsWith('/agent') ? join(path, '..') : path;
  return { version: 2, mount: mount.path, parent: join(delegated, folder), agentLeaf: join(delegated, 'agent') };
}

interface CgroupMount {
  readonly kind: 'cgroup' | 'cgroup2';
  readonly path: string;
  /** Cgroup that is seen at `path`. */
  readonly root: string;
  readonly options: readonly string[];
}

/** Lines as `34 29 0:30 / /sys/fs/cgroup/pids rw shared:9 - cgroup cgroup rw,pids` (proc_pid_mountinfo(5)). */
function cgroupMounts(mountinfo: string): readonly CgroupMount[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root, path] = before.split(' ');
    const [kind, , options = ''] = after.split(' ');
    if ((kind !== 'cgroup' && kind !== 'cgroup2') || root === undefined || path === undefined) return [];
    return [{ kind, path, root, options: options.split(',') }];
  });
}

/** Lines as `4:memory:/a/b`, and `0::/a/b` for v2. */
function ownCgroups(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, names, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (names === undefined || path === undefined) continue;
    for (const name of names.split(',')) found.set(name, path);
  }
  return found;
}

function withinMount(mount: CgroupMount, cgroup: string): string {
  return mount.root !== '/' && cgroup.startsWith(mount.root) ? cgroup.slice(mount.root.length) : cgroup;
}
