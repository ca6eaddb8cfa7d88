import type { JobLimits } from '../driver.ts';
import { systemPath } from '../supervised/system-path.ts';
import type { ViewEntry } from './machine-view.ts';

/** Files that bubblewrap finds open, in the order in which they are handed over. */
const firstInput = 4;
const inputOrder = ['filter', 'args', 'script', 'passwd', 'group', 'hosts', 'resolver'] as const;
export type InputName = (typeof inputOrder)[number];
export const inputFd = (name: InputName): string => String(firstInput + inputOrder.indexOf(name));

export interface BwrapPlan {
  readonly jobId: string;
  readonly view: readonly ViewEntry[];
  /** Where bubblewrap finds the renter's folder and the toolchains; may differ from where they lie. */
  readonly workdir: string;
  readonly toolchains: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly limits: JobLimits;
  /** Whether the job resolves names otherwise than the machine does. */
  readonly ownResolver: boolean;
}

export const sandboxWorkdir = '/work';
const resolverFile = '/etc/resolv.conf';
export const sandboxScript = '/run/latent/job.sh';
const toolchainAt = (index: number) => `/opt/toolchains/${index}`;

/** Held in memory, so bounded: by this and by half of the job's memory. */
const maxTmpBytes = 1 << 30;

export function sandboxEnv(
  env: Readonly<Record<string, string>>,
  toolchains: readonly string[],
): Readonly<Record<string, string>> {
  const path = [...toolchains.map((_, index) => `${toolchainAt(index)}/bin`), systemPath].join(':');
  return { PATH: path, HOME: sandboxWorkdir, TMPDIR: '/tmp', LANG: 'C.UTF-8', ...env };
}

/**
 * Arguments of bubblewrap for a job (bwrap(1)). All namespaces but that of the network, which the job is in already; no capabilities; the
 * user inside is root of its namespace and nobody outside, so that even one that is private is not the job's to change. `--die-with-parent` ties it to the supervisor, not to the agent. The root is
 * made read-only last, so that a job cannot plant files (/etc/ld.so.preload) for the commands that enter it later.
 */
export function bwrapArguments(plan: BwrapPlan): readonly string[] {
  const half = Math.floor(plan.limits.memoryBytes / 2);
  return [
    ...spaceArguments(plan.jobId),
    ...plan.view
      .filter(({ path }) => !plan.ownResolver || path !== resolverFile)
      .flatMap((entry) =>
        entry.kind === 'link' ? ['--symlink', entry.target, entry.path] : ['--ro-bind', entry.path, entry.path],
      ),
    ...[...processArguments, '--dev', '/dev'],
    ...['--perms', '1777', '--size', String(half), '--tmpfs', '/dev/shm', '--remount-ro', '/dev'],
    ...['--perms', '1777', '--size', String(Math.min(maxTmpBytes, half)), '--tmpfs', '/tmp'],
    ...['--dir', '/var', '--symlink', '../tmp', '/var/tmp'],
    ...readOnlyData('passwd', '/etc/passwd'),
    ...readOnlyData('group', '/etc/group'),
    ...readOnlyData('hosts', '/etc/hosts'),
    ...(plan.ownResolver ? readOnlyData('resolver', resolverFile) : []),
    ...readOnlyData('script', sandboxScript),
    ...plan.toolchains.flatMap((folder, index) => ['--ro-bind', folder, toolchainAt(index)]),
    ...['--bind', plan.workdir, sandboxWorkdir, '--chdir', sandboxWorkdir],
    ...['--remount-ro', '/'],
    ...['--seccomp', inputFd('filter')],
    ...environmentArguments(plan.env),
  ];
}

/** The namespaces of a job, and who it is in them. */
export function spaceArguments(jobId: string): readonly string[] {
  return [
    ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup'],
    ...['--uid', '0', '--gid', '0', '--hostname', jobId],
    ...['--new-session', '--die-with-parent', '--cap-drop', 'ALL'],
  ];
}

/**
 * What shows a job its processes, but not bubblewrap's own, the first of its PID namespace: the filter is not over that one, and whoever can write
 * to its memory has it make calls past the filter.
 */
export const processArguments = ['--proc', '/proc', '--size', '4096', '--tmpfs', '/proc/1', '--remount-ro', '/proc/1'];

/** For a command that has entered the namespaces of a job: the same view, and again no capabilities and the filter. */
export function enterArguments(env: Readonly<Record<string, string>>): readonly string[] {
  return [
    ...['--dev-bind', '/', '/', '--chdir', sandboxWorkdir],
    ...['--new-session', '--die-with-parent', '--cap-drop', 'ALL'],
    ...['--seccomp', inputFd('filter')],
    ...environmentArguments(env),
  ];
}

/** As `--args` reads them. */
export function joinArguments(args: readonly string[]): string {
  return args.map((arg) => `${arg}\0`).join('');
}

export const accountFiles = (
  jobId: string,
  address: string,
  hosts: readonly { readonly name: string; readonly address: string }[],
) => ({
  passwd: `root:x:0:0:job:${sandboxWorkdir}:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n`,
  group: 'root:x:0:\nnogroup:x:65534:\n',
  hosts: `127.0.0.1 localhost\n::1 localhost\n${[{ name: jobId, address }, ...hosts].map((host) => `${host.address} ${host.name}\n`).join('')}`,
});

export function readOnlyData(input: InputName, at: string): readonly string[] {
  return ['--perms', '0444', '--ro-bind-data', inputFd(input), at];
}

export function environmentArguments(env: Readonly<Record<string, string>>): readonly string[] {
  return ['--clearenv', ...Object.entries(env).flatMap(([name, value]) => ['--setenv', name, value])];
}
