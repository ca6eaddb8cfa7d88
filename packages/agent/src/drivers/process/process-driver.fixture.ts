import { systemClock } from '@latent/kit';
import { openCgroupTree } from '../cgroup/open-cgroup-tree.ts';
import type { Driver } from '../driver.ts';
import { createProcessDriver } from './process-driver.ts';

export const create = (): Driver => createProcessDriver({ clock: systemClock, cgroups: openCgroupTree });
