import type { ProcessInfo } from './process-table.ts';
import type { SupervisedJob } from './supervised-job.ts';

/** The job's supervisor among the processes; nothing once it has ended, even if its number is another's by now. */
export function findSupervisor(job: SupervisedJob, all: readonly ProcessInfo[]): ProcessInfo | undefined {
  const { pid, startTicks } = job.supervisor;
  return all.find((info) => info.pid === pid && info.startTicks === startTicks);
}
