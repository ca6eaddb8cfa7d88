import {
  archOffset,
  argumentOffset,
  give,
  type Instruction,
  ifEqualSkip,
  load,
  systemCallOffset,
  unlessAnyBitSkip,
  unlessAtLeastSkip,
  unlessEqualSkip,
} from './bpf.ts';
import { type SystemCall, systemCalls } from './system-calls.ts';

export type Machine = 'x64' | 'arm64';

/** linux/audit.h */
const auditArch: Readonly<Record<Machine, number>> = { x64: 0xc000003e, arm64: 0xc00000b7 };
/** Calls of the x32 ABI have this bit set and would pass every comparison of numbers. */
const x32Bit = 0x40000000;

export const allow = 0x7fff0000;
export const killProcess = 0x80000000;
const failWith = (errno: number) => 0x00050000 | errno;
const [EPERM, ENOSYS, EAFNOSUPPORT] = [1, 38, 97];
export const refuse = failWith(EPERM);
export const unknownCall = failWith(ENOSYS);
export const unknownFamily = failWith(EAFNOSUPPORT);

/** What a job has no business with: namespaces, mounts, keys, other processes' memory, the kernel itself, the clock. */
const refused = [
  ...(['unshare', 'setns', 'mount', 'umount2', 'pivot_root', 'chroot'] as const),
  ...(['open_tree', 'move_mount', 'fsopen', 'fsconfig', 'fsmount', 'fspick', 'mount_setattr'] as const),
  ...(['add_key', 'request_key', 'keyctl', 'ptrace', 'pidfd_getfd'] as const),
  ...(['bpf', 'perf_event_open', 'userfaultfd', 'fanotify_init', 'lookup_dcookie'] as const),
  ...(['name_to_handle_at', 'open_by_handle_at'] as const),
  ...(['init_module', 'finit_module', 'delete_module', 'kexec_load', 'kexec_file_load'] as const),
  ...(['reboot', 'swapon', 'swapoff', 'syslog', 'acct', 'quotactl', 'quotactl_fd', 'vhangup'] as const),
  ...(['settimeofday', 'clock_settime', 'clock_adjtime', 'iopl', 'ioperm', 'modify_ldt'] as const),
] satisfies readonly SystemCall[];

/**
 * Calls that do not exist, as far as a job can tell, so that libraries fall back on older ones. The arguments of `clone3`
 * and `openat2` lie behind a pointer where no filter can look; io_uring would run calls past the filter.
 */
const unknown = [
  ...(['clone3', 'openat2', 'fchmodat2', 'io_uring_setup', 'io_uring_enter', 'io_uring_register'] as const),
] satisfies readonly SystemCall[];

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET (linux/sched.h). */
const namespaceFlags = 0x7e020000;
/** A file of these bits that belongs to the operator would run as the operator, for whoever finds it on the machine. */
const setIdBits = 0o6000;
/** O_CREAT and the bit of O_TMPFILE: only with one of them has `open` a mode. */
const createFlags = 0x400040;
/** TIOCSTI types into, and TIOCLINUX pastes into, a terminal that the job may share with the operator. */
const terminalInjections = [0x5412, 0x541c];
/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK. The other families are seldom used and a rich source of kernel bugs. */
const socketFamilies = [1, 2, 10, 16];

const refuseModes: readonly (readonly [SystemCall, number])[] = [
  ['chmod', 1],
  ['fchmod', 1],
  ['fchmodat', 2],
  ['mknod', 1],
  ['mknodat', 2],
  ['creat', 1],
];
const refuseCreateModes: readonly (readonly [SystemCall, number])[] = [
  ['open', 1],
  ['openat', 2],
];

/**
 * The filter of a job: everything is allowed but what is named here. It is no sandbox by itself; it takes away parts of
 * the kernel in which the namespaces could be left or a bug be reached.
 */
export function jobFilter(machine: Machine): readonly Instruction[] {
  const numberOf = (call: SystemCall): number | undefined => {
    const numbers: { readonly x64: number; readonly arm64?: number } = systemCalls[call];
    return numbers[machine];
  };
  const when = (call: SystemCall, block: readonly Instruction[]): readonly Instruction[] => {
    const number = numberOf(call);
    return number === undefined ? [] : [unlessEqualSkip(number, block.length), ...block];
  };
  const verdict = [give(refuse), give(allow)];
  return [
    [load(archOffset), ifEqualSkip(auditArch[machine], 1), give(killProcess), load(systemCallOffset)],
    machine === 'x64' ? [unlessAtLeastSkip(x32Bit, 1), give(killProcess)] : [],
    refused.flatMap((call) => when(call, [give(refuse)])),
    unknown.flatMap((call) => when(call, [give(unknownCall)])),
    when('clone', [load(argumentOffset(0)), unlessAnyBitSkip(namespaceFlags, 1), ...verdict]),
    refuseModes.flatMap(([call, mode]) =>
      when(call, [load(argumentOffset(mode)), unlessAnyBitSkip(setIdBits, 1), ...verdict]),
    ),
    refuseCreateModes.flatMap(([call, flags]) =>
      when(call, [
        load(argumentOffset(flags)),
        unlessAnyBitSkip(createFlags, 3),
        load(argumentOffset(flags + 1)),
        unlessAnyBitSkip(setIdBits, 1),
        ...verdict,
      ]),
    ),
    when('ioctl', [
      load(argumentOffset(1)),
      ...terminalInjections.flatMap((request) => [unlessEqualSkip(request, 1), give(refuse)]),
      give(allow),
    ]),
    when('socket', [
      load(argumentOffset(0)),
      ...socketFamilies.flatMap((family) => [unlessEqualSkip(family, 1), give(allow)]),
      give(unknownFamily),
    ]),
    [give(allow)],
  ].flat();
}
