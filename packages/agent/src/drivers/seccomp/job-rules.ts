import type { SystemCall } from './system-calls.ts';

/** What a job has no business with: namespaces, mounts, keys, other processes' memory, the kernel itself, the clock. */
export const refusedCalls = [
  ...(['unshare', 'setns', 'mount', 'umount2', 'pivot_root', 'chroot'] as const),
  ...(['open_tree', 'move_mount', 'fsopen', 'fsconfig', 'fsmount', 'fspick', 'mount_setattr'] as const),
  ...(['add_key', 'request_key', 'keyctl', 'ptrace', 'process_vm_readv', 'process_vm_writev', 'pidfd_getfd'] as const),
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
export const absentCalls = [
  ...(['clone3', 'openat2', 'fchmodat2', 'io_uring_setup', 'io_uring_enter', 'io_uring_register'] as const),
] satisfies readonly SystemCall[];

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET (linux/sched.h). */
export const namespaceFlags = 0x7e020000;
/** A file of these bits that belongs to the operator would run as the operator, for whoever finds it on the machine. */
export const setIdBits = 0o6000;
/** O_CREAT and the bit of O_TMPFILE: only with one of them has `open` a mode. */
export const createFlags = 0x400040;
/** TIOCSTI types into, and TIOCLINUX pastes into, a terminal that the job may share with the operator. */
export const terminalInjections = [0x5412, 0x541c];
/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK. The other families are seldom used and a rich source of kernel bugs. */
export const socketFamilies = [1, 2, 10, 16];

export const refuseModes: readonly (readonly [SystemCall, number])[] = [
  ['chmod', 1],
  ['fchmod', 1],
  ['fchmodat', 2],
  ['mknod', 1],
  ['mknodat', 2],
  ['creat', 1],
];
export const refuseCreateModes: readonly (readonly [SystemCall, number])[] = [
  ['open', 1],
  ['openat', 2],
];
