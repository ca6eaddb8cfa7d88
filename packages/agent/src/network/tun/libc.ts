import { constants } from 'node:os';
import { errno, load } from 'koffi';

/** Calls of Linux that Node does not offer. Each gives what the kernel answers; below zero it failed, see {@link failedCall}. */
export interface Libc {
  open(path: string, flags: number): number;
  close(fd: number): number;
  ioctl(fd: number, request: number, argument: Uint8Array): number;
  read(fd: number, to: Uint8Array, size: number): number;
  write(fd: number, from: Uint8Array, size: number): number;
  socket(domain: number, type: number, protocol: number): number;
  /** By number: `pidfd_open` and `pidfd_getfd`, for which libc has names only since lately. */
  syscall(number: number, first: number, second: number, third: number): number;
}

let loaded: Libc | undefined;

/** @throws where there is no such library: on no Linux with glibc */
export function openLibc(): Libc {
  loaded ??= loadLibc();
  return loaded;
}

function loadLibc(): Libc {
  const libc = load('libc.so.6');
  return {
    open: libc.func('int open(const char *path, int flags)'),
    close: libc.func('int close(int fd)'),
    ioctl: libc.func('int ioctl(int fd, unsigned long request, void *argument)'),
    read: libc.func('long read(int fd, void *to, size_t size)'),
    write: libc.func('long write(int fd, const void *from, size_t size)'),
    socket: libc.func('int socket(int domain, int type, int protocol)'),
    syscall: libc.func('long syscall(long number, long first, long second, long third)'),
  };
}

/** Says which call failed, and the kernel's reason by its name. Right after the call. */
export function failedCall(call: string): Error {
  const number = errno();
  const name = Object.entries(constants.errno).find(([, value]) => value === number)?.[0] ?? String(number);
  return new Error(`${call}: ${name}`);
}
