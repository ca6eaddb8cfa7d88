import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { node } from 'koffi';
import { systemPath } from '../../drivers/supervised/system-path.ts';
import { enterNamespace, type HeldNamespace } from '../namespace/held-namespace.ts';
import type { DeviceSettings } from './configure-device.ts';
import { failedCall, type Libc, openLibc } from './libc.ts';

const PROGRAM = fileURLToPath(new URL('./tun-process.ts', import.meta.url));

/** Of pidfd_open(2) and pidfd_getfd(2): new calls have the same numbers on every processor. */
const PIDFD_OPEN = 434;
const PIDFD_GETFD = 438;

/** A network device of another namespace, whose packets this process carries: whole IP packets, nothing before them. */
export interface Tun {
  /** Reads the next packet into `to`. Its length; 0 where none is there. */
  read(to: Uint8Array): number;
  /** False where the device does not take it, as while it has no room. */
  write(packet: Uint8Array): boolean;
  /** Calls back whenever packets are there to be read. Once. */
  watch(listen: () => void): void;
  /** Lets go of the device, which stays. Safe to call twice. */
  close(): void;
}

/**
 * Takes up the TUN device of a namespace, or makes it. A process that goes there does it: for an agent that is not root nobody else can,
 * and an agent that is root need not leave its own namespace for a moment.
 * @throws what went wrong, in words
 */
export async function openTun(
  namespace: HeldNamespace,
  settings: DeviceSettings,
  { signal }: { readonly signal: AbortSignal },
): Promise<Tun> {
  const program = [process.execPath, PROGRAM, JSON.stringify(settings)];
  const [file = '', ...args] = [...enterNamespace(namespace.path), ...program];
  const child = spawn(file, args, { stdio: 'pipe', env: { PATH: systemPath }, cwd: '/', signal });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2_000);
  });
  const ended = once(child, 'close');
  ended.catch(() => undefined);
  // The first line is the answer; a process that fails has none.
  const answer = await Promise.race([once(createInterface(child.stdout), 'line'), ended.then(() => [])]);
  try {
    const fd = Number(answer[0]);
    if (answer.length === 0 || !Number.isSafeInteger(fd)) throw new Error(reasonIn(complaint));
    const libc = openLibc();
    return wrap(libc, copyFd(libc, child.pid ?? 0, fd));
  } finally {
    child.stdin.end();
    await ended;
  }
}

/** `Error: TUNSETIFF: EPERM` out of what Node prints for an error that nobody caught. */
function reasonIn(complaint: string): string {
  const line = complaint.split('\n').find((text) => /^(\w*Error|nsenter): /.test(text)) ?? complaint.trim().slice(-200);
  return line.replace(/^Error: /, '') || 'the process that opens the TUN device said nothing';
}

/** Of a child, which may be in a user namespace of ours: it is the same file that both have open then. */
function copyFd(libc: Libc, pid: number, fd: number): number {
  const handle = libc.syscall(PIDFD_OPEN, pid, 0, 0);
  if (handle < 0) throw failedCall('pidfd_open');
  const copy = libc.syscall(PIDFD_GETFD, handle, fd, 0);
  const failure = copy < 0 ? failedCall('pidfd_getfd') : undefined;
  libc.close(handle);
  if (failure !== undefined) throw failure;
  return copy;
}

function wrap(libc: Libc, fd: number): Tun {
  let poll: node.PollHandle | undefined;
  let isOpen = true;
  return {
    read: (to) => (isOpen ? Math.max(0, libc.read(fd, to, to.byteLength)) : 0),
    write: (packet) => isOpen && libc.write(fd, packet, packet.byteLength) === packet.byteLength,
    watch: (listen) => {
      if (!isOpen) return;
      // Held, as a handle that nobody holds is collected and then watches no more.
      poll = node.poll(fd, { readable: true }, () => {
        if (isOpen) listen();
      });
    },
    close: () => {
      if (!isOpen) return;
      isOpen = false;
      poll?.close();
      libc.close(fd);
    },
  };
}
