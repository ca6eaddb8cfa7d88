import { constants } from 'node:fs';
import { access, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type CgroupTree, controllers, findCgroupTrees } from './find-cgroup-tree.ts';

export type CgroupAnswer =
  | { readonly usable: true; readonly tree: CgroupTree }
  | { readonly usable: false; readonly reason: string };

/** Finds a tree in which this process can really limit jobs, and readies it. Never throws. */
export async function openCgroupTree(): Promise<CgroupAnswer> {
  const reasons: string[] = [];
  try {
    const [mountinfo, selfCgroup] = await Promise.all([
      readFile('/proc/self/mountinfo', 'utf8'),
      readFile('/proc/self/cgroup', 'utf8'),
    ]);
    for (const tree of findCgroupTrees({ mountinfo, selfCgroup, root: process.getuid?.() === 0 })) {
      try {
        await readyTree(tree);
        return { usable: true, tree };
      } catch (error) {
        reasons.push(`v${tree.version}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  } catch (error) {
    reasons.push(error instanceof Error ? error.message : String(error));
  }
  return { usable: false, reason: reasons.length === 0 ? 'no cgroup file system is mounted' : reasons.join('; ') };
}

/**
 * Makes the parent cgroups and hands them the controllers. In version 2 a cgroup with limits on its children may hold no
 * processes, so an agent that owns only its own cgroup moves itself one level down.
 * @throws where the machine does not let us.
 */
export async function readyTree(tree: CgroupTree): Promise<void> {
  if (tree.version === 1) {
    for (const parent of Object.values(tree.parents)) await tryFolder(parent);
    return;
  }
  const available = (await readFile(join(tree.mount, 'cgroup.controllers'), 'utf8')).trim().split(' ');
  const lacking = controllers.filter((name) => !available.includes(name));
  if (lacking.length > 0) throw new Error(`the controllers ${lacking.join(', ')} are not in cgroup2`);
  const delegated = dirname(tree.parent);
  await access(join(delegated, 'cgroup.subtree_control'), constants.W_OK);
  if (tree.agentLeaf !== undefined) {
    await mkdir(tree.agentLeaf, { recursive: true });
    await writeFile(join(tree.agentLeaf, 'cgroup.procs'), String(process.pid));
  }
  const wanted = controllers.map((name) => `+${name}`).join(' ');
  await writeFile(join(delegated, 'cgroup.subtree_control'), wanted);
  await mkdir(tree.parent, { recursive: true });
  await writeFile(join(tree.parent, 'cgroup.subtree_control'), wanted);
  await tryFolder(tree.parent);
}

async function tryFolder(parent: string): Promise<void> {
  const probe = join(parent, `probe-${process.pid}`);
  await mkdir(probe, { recursive: true });
  await rmdir(probe);
}
