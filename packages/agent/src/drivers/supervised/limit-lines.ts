import type { JobLimits } from '../driver.ts';

const kibibyte = 1024;

/**
 * Shell lines that set the limits of a job without a cgroup. Memory is bounded per process, not for the job; RLIMIT_DATA
 * and not RLIMIT_AS, since language runtimes reserve far more addresses than they use. CPU is not bounded.
 */
export function limitLines(limits: JobLimits): string {
  const { processes } = limits;
  const memoryKib = Math.floor(limits.memoryBytes / kibibyte);
  // dash and busybox call the number of processes -p, bash calls it -u.
  return `ulimit -d ${memoryKib}
if (ulimit -u) >/dev/null 2>&1; then ulimit -u ${processes}; else ulimit -p ${processes}; fi
`;
}
