import { systemPath } from '../supervised/system-path.ts';
import {
  environmentArguments,
  inputFd,
  processArguments,
  readOnlyData,
  sandboxWorkdir,
  spaceArguments,
} from './bwrap-arguments.ts';

/** Where a job in an image finds its script: among the devices, since all else is the image's. */
export const imageScript = '/dev/latent/job.sh';

export interface ImagePlan {
  /** Where bubblewrap finds the image's files, writable. */
  readonly root: string;
  /** Where bubblewrap finds the renter's folder. */
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Shared memory, which is held in memory and so bounded. */
  readonly shmBytes: number;
}

/** The image's variables go before our own, the job's before both. */
export function imageEnv(
  image: Readonly<Record<string, string>>,
  job: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return { PATH: systemPath, HOME: sandboxWorkdir, TMPDIR: '/tmp', LANG: 'C.UTF-8', ...image, ...job };
}

/** As `bwrapArguments`, for a job that runs in an image: its root is the image's, and it may write anywhere. */
export function imageArguments(plan: ImagePlan & { readonly jobId: string }): readonly string[] {
  return [...spaceArguments(plan.jobId), ...view(plan, readOnlyData('script', imageScript))];
}

/** What a command that enters finds open: the PID namespace of the job. */
export const processesFd = '9';

/**
 * For a command that has entered the namespaces of such a job, but that of its mounts: a job that may write anywhere may have put
 * another program where bubblewrap would be. The same files are mounted once more instead; /dev/shm is not the job's. The PID namespace
 * is left to bubblewrap, which looks at its child in the /proc that it finds.
 */
export function enterImageArguments(plan: ImagePlan): readonly string[] {
  return [...['--pidns', processesFd, '--new-session', '--die-with-parent', '--cap-drop', 'ALL'], ...view(plan, [])];
}

/** Mounts only on folders at the root, which the job cannot put a link in the place of while they are mounted on. */
function view(plan: ImagePlan, devices: readonly string[]): readonly string[] {
  return [
    ...['--bind', plan.root, '/', ...processArguments, '--dev', '/dev'],
    ...['--perms', '1777', '--size', String(plan.shmBytes), '--tmpfs', '/dev/shm'],
    ...devices,
    ...['--remount-ro', '/dev'],
    ...['--bind', plan.workdir, sandboxWorkdir, '--chdir', sandboxWorkdir],
    ...['--seccomp', inputFd('filter')],
    ...environmentArguments(plan.env),
  ];
}
