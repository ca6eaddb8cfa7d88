import { systemClock } from '@latent/kit';
import { openCgroupTree } from '../cgroup/open-cgroup-tree.ts';
import type { Driver } from '../driver.ts';
import { createSandboxDriver } from './sandbox-driver.ts';

export const create = (): Driver => createSandboxDriver({ clock: systemClock, cgroups: openCgroupTree });
