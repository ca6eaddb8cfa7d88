import type { Clock } from '@latent/kit';
import type { CgroupAnswer } from '../cgroup/open-cgroup-tree.ts';
import type { Driver } from '../driver.ts';
import { supervisedDriver } from '../supervised/supervised-driver.ts';
import { processEnclosure } from './process-enclosure.ts';

export interface ProcessDriverOptions {
  readonly clock: Clock;
  /** Where limits and the list of a job's processes come from, usually `openCgroupTree`. */
  readonly cgroups: () => Promise<CgroupAnswer>;
}

/**
 * Runs jobs as plain processes of the agent's user. There is no isolation whatever: a job can read and change what the
 * agent can, its keys included. For an operator's own jobs only; `selectDriver` refuses it unless the operator says so.
 */
export function createProcessDriver(options: ProcessDriverOptions): Driver {
  return supervisedDriver(processEnclosure(options.cgroups), options);
}
