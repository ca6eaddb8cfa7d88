import type { Clock } from '@latent/kit';
import type { ImageStore } from '../images/image-store.ts';
import { openCgroupTree } from './cgroup/open-cgroup-tree.ts';
import { createDockerDriver } from './docker/docker-driver.ts';
import { createMockDriver } from './mock/mock-driver.ts';
import { createProcessDriver } from './process/process-driver.ts';
import { createSandboxDriver } from './sandbox/sandbox-driver.ts';
import { type DriverWish, type SelectedDriver, selectDriver } from './select-driver.ts';

export interface MachineDriverOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Where the sandbox gets images from. Without one it refuses jobs that name one. */
  readonly images?: ImageStore;
  /** What the operator says of a container engine; the options of the agent explain them. */
  readonly docker?: {
    readonly socket?: string | undefined;
    readonly image?: string | undefined;
    readonly network?: string | undefined;
  };
}

/** Every driver there is, best isolation first, and the operator's choice among them. A new driver is added here. */
export async function selectMachineDriver(wish: DriverWish, options: MachineDriverOptions): Promise<SelectedDriver> {
  const { clock, signal, images, docker = {} } = options;
  const cgroups = openCgroupTree;
  // Of itself an engine has no system to run a job on: without an image to lend it is only for who asks for it.
  const useDocker = wish.driver === 'docker' || docker.image !== undefined;
  const drivers = [
    createSandboxDriver({ clock, cgroups, ...(images === undefined ? {} : { images }) }),
    ...(useDocker ? [createDockerDriver({ clock, ...docker })] : []),
    createProcessDriver({ clock, cgroups }),
    createMockDriver({ clock }),
  ];
  return selectDriver(wish, drivers, { signal });
}
