import type { Clock } from '@latent/kit';
import { openCgroupTree } from './cgroup/open-cgroup-tree.ts';
import { createMockDriver } from './mock/mock-driver.ts';
import { createProcessDriver } from './process/process-driver.ts';
import { createSandboxDriver } from './sandbox/sandbox-driver.ts';
import { type DriverWish, type SelectedDriver, selectDriver } from './select-driver.ts';

/** Every driver there is, best isolation first, and the operator's choice among them. A new driver is added here. */
export async function selectMachineDriver(
  wish: DriverWish,
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<SelectedDriver> {
  const { clock, signal } = options;
  const cgroups = openCgroupTree;
  const drivers = [
    createSandboxDriver({ clock, cgroups }),
    createProcessDriver({ clock, cgroups }),
    createMockDriver({ clock }),
  ];
  return selectDriver(wish, drivers, { signal });
}
