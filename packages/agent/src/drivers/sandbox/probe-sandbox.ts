import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { jobUid } from '../job-user.ts';
import { systemPath } from '../supervised/system-path.ts';
import { dropRoot } from './sandbox-command.ts';
import { findSandboxTools, type SandboxTools } from './sandbox-tools.ts';
import type { Machine } from './seccomp/job-filter.ts';

export type SandboxAnswer =
  | {
      readonly usable: true;
      readonly tools: SandboxTools;
      readonly version: string;
      readonly machine: Machine;
      /** The agent is root, and gives that up for its jobs. */
      readonly root: boolean;
    }
  | { readonly usable: false; readonly reason: string; readonly remedy: string };

const run = promisify(execFile);
const probeLimitMs = 10_000;
const probeArguments = [
  ...[
    '--unshare-user',
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup',
    '--uid',
    '0',
    '--gid',
    '0',
  ],
  ...[
    '--ro-bind',
    '/',
    '/',
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--perms',
    '1777',
    '--size',
    '65536',
    '--tmpfs',
    '/tmp',
  ],
  ...['--cap-drop', 'ALL', '--new-session', '--die-with-parent'],
];

export interface ProbeOptions {
  readonly signal: AbortSignal;
  /** Folders to look for programs in, separated by colons. */
  readonly path?: string;
}

/** Whether sandboxes really work here, found out by making one. Never throws. */
export async function probeSandbox(options: ProbeOptions): Promise<SandboxAnswer> {
  const machine = process.arch;
  if (process.platform !== 'linux' || (machine !== 'x64' && machine !== 'arm64')) {
    const reason = `there is no sandbox for ${process.platform} on ${machine}`;
    return { usable: false, reason, remedy: 'use a Linux machine with an x86-64 or arm64 processor' };
  }
  const answer = await findSandboxTools(options.path);
  if (!answer.found) {
    const bwrap = answer.missing === 'bwrap';
    const reason = bwrap ? 'bubblewrap is not installed' : `the program ${answer.missing} is not installed`;
    return { usable: false, reason, remedy: `apt install ${bwrap ? 'bubblewrap' : 'util-linux'}` };
  }
  const { tools } = answer;
  const root = process.getuid?.() === 0;
  const limits = { timeout: probeLimitMs, signal: options.signal, env: { PATH: systemPath }, cwd: '/' };
  try {
    const { stdout } = await run(tools.bwrap, ['--version'], limits);
    const prefix = root ? dropRoot(tools, jobUid('probe')) : [];
    const [file = '', ...args] = [...prefix, tools.bwrap, ...probeArguments, 'true'];
    await run(file, args, limits);
    return { usable: true, tools, version: stdout.trim().split(' ').at(-1) ?? 'unknown', machine, root };
  } catch (error) {
    return { usable: false, reason: `a trial sandbox failed: ${complaint(error)}`, remedy: await remedy() };
  }
}

function complaint(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error && error.stderr ? String(error.stderr) : String(error);
  return text
    .replaceAll(/[^ -~]+/g, ' ')
    .trim()
    .slice(0, 300);
}

/** Settings by which machines forbid what the sandbox needs, and how to allow it. */
const switches = [
  {
    path: '/proc/sys/kernel/unprivileged_userns_clone',
    off: '0',
    remedy: 'allow user namespaces: sysctl -w kernel.unprivileged_userns_clone=1',
  },
  {
    path: '/proc/sys/user/max_user_namespaces',
    off: '0',
    remedy: 'allow user namespaces: sysctl -w user.max_user_namespaces=15000',
  },
  {
    path: '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
    off: '1',
    remedy:
      'allow user namespaces to bwrap by an AppArmor profile, or to all: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
  },
];

async function remedy(): Promise<string> {
  for (const one of switches) {
    const value = await readFile(one.path, 'utf8').catch(() => undefined);
    if (value?.trim() === one.off) return one.remedy;
  }
  return 'see that `bwrap --unshare-all --ro-bind / / true` works for the user of the agent (inside a container it often may not)';
}
