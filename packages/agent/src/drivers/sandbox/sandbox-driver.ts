import type { Clock } from '@latent/kit';
import type { ImageStore } from '../../images/image-store.ts';
import type { CgroupAnswer } from '../cgroup/open-cgroup-tree.ts';
import type { Driver } from '../driver.ts';
import { supervisedDriver } from '../supervised/supervised-driver.ts';
import type { RootKind } from './image-root.ts';
import { probeSandbox, type SandboxAnswer } from './probe-sandbox.ts';
import { sandboxEnclosure } from './sandbox-enclosure.ts';
import { sandboxImages } from './sandbox-images.ts';

export interface SandboxDriverOptions {
  readonly clock: Clock;
  /** Where limits come from, usually `openCgroupTree`. */
  readonly cgroups: () => Promise<CgroupAnswer>;
  /** Where images come from. Without one, jobs that name an image are refused. */
  readonly images?: ImageStore;
  /** Only for tests: how jobs get their image's files, where that is not to be found out. */
  readonly rootKind?: RootKind;
}

/**
 * Runs jobs under bubblewrap: own user, mount, PID, IPC, UTS and cgroup namespaces, no capabilities, a system-call filter,
 * a read-only system, and of the operator's files nothing but what the job was given.
 *
 * It protects the operator's machine from the job, as far as the kernel has no hole. It does NOT protect the job from the
 * machine: the operator sees and can change everything a job does, its files, memory, environment and secrets included.
 *
 * A job in a private network reaches the other members of its lease, by `network/egress/` public addresses too, and nothing else, and cannot change that. Without one the
 * network is the machine's own: a job can reach whatever the machine can, services that listen on its loopback or on abstract sockets
 * included. Disk space is not bounded. The paths of the bound folders on the machine can be read from inside (/proc/self/mountinfo).
 */
export function createSandboxDriver(options: SandboxDriverOptions): Driver {
  let known: SandboxAnswer | undefined;
  const probe = async (signal: AbortSignal): Promise<SandboxAnswer> => {
    // What worked once is not tried again; what did not may have been put right since.
    if (known?.usable !== true) known = await probeSandbox({ signal });
    return known;
  };
  const kind = options.rootKind === undefined ? {} : { kind: options.rootKind };
  const images = sandboxImages({ store: options.images, ...kind });
  return {
    ...supervisedDriver(sandboxEnclosure({ cgroups: options.cgroups, probe, images }), options),
    async prepare(spec, prepareOptions) {
      const answer = await probe(prepareOptions.signal);
      // Where there is no sandbox, `start` says so.
      if (answer.usable) await images.open(spec, answer, prepareOptions);
    },
  };
}
