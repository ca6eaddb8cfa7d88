import { address, load, node } from 'koffi';

const O_RDWR_NONBLOCK = 0o2 | 0o4000;
const TUNSETIFF = 0x4004_54ca;
const IFF_TUN_NO_PI = 0x0001 | 0x1000;
const IFREQ_BYTES = 40;

/** A network device whose packets this process carries. It goes when the process ends. */
export interface Tun {
  /** The next packet, to this address in memory. Its length, or a negative number where none is there. */
  read(to: bigint, size: number): number;
  /** Negative where the device does not take it, as while it is down. */
  write(from: bigint, length: number): number;
  /** Calls back whenever packets are there to be read, until `ignore`. */
  watch(listen: () => void): void;
  ignore(): void;
}

/** Makes a TUN device in the network namespace of this process: whole IP packets, nothing before them. */
export function openTun(name: string): Tun {
  const libc = load('libc.so.6');
  const open: (path: string, flags: number) => number = libc.func('int open(const char *path, int flags)');
  const ioctl: (fd: number, request: number, argument: Uint8Array) => number = libc.func(
    'int ioctl(int fd, unsigned long request, void *argument)',
  );
  const read: (fd: number, to: bigint, size: number) => number = libc.func('long read(int fd, void *to, size_t size)');
  const write: (fd: number, from: bigint, size: number) => number = libc.func(
    'long write(int fd, void *from, size_t size)',
  );
  const fd = open('/dev/net/tun', O_RDWR_NONBLOCK);
  if (fd < 0) throw new Error('/dev/net/tun cannot be opened');
  const request = Buffer.alloc(IFREQ_BYTES);
  request.write(name, 'latin1');
  request.writeUInt16LE(IFF_TUN_NO_PI, 16);
  if (ioctl(fd, TUNSETIFF, request) < 0) throw new Error(`no TUN device ${name} can be made`);
  // A handle that nobody holds is collected, and then it watches no more.
  let poll: node.PollHandle | undefined;
  return {
    read: (to, size) => read(fd, to, size),
    write: (from, length) => write(fd, from, length),
    watch: (listen) => {
      // What koffi calls back with first is a status of libuv, whatever its types say.
      const wake = (status: unknown) => {
        if (status !== 0) throw new Error(`${name} can no longer be waited for: ${String(status)}`);
        listen();
      };
      if (poll === undefined) poll = node.poll(fd, { readable: true }, wake);
      else poll.start({ readable: true }, wake);
    },
    ignore: () => poll?.stop(),
  };
}

/** Memory for packets. Slots are given out newest first, so that the same ones stay in the processor's caches. */
export interface PacketMemory {
  /** Undefined where all are taken. */
  take(): number | undefined;
  release(slot: number): void;
  addressOf(slot: number): bigint;
  /** The address of one more slot, for what there is no room for. */
  readonly spare: bigint;
  /** One byte of the packet in a slot. */
  byte(slot: number, offset: number): number;
}

export function allocatePackets(slots: number, slotBytes: number): PacketMemory {
  const memory = Buffer.alloc((slots + 1) * slotBytes);
  const start: bigint = address(memory);
  const addresses = Array.from({ length: slots }, (_, slot) => start + BigInt(slot * slotBytes));
  const free = Array.from({ length: slots }, (_, slot) => slots - 1 - slot);
  return {
    take: () => free.pop(),
    release: (slot) => {
      free.push(slot);
    },
    spare: start + BigInt(slots * slotBytes),
    addressOf: (slot) => addresses[slot] ?? start,
    byte: (slot, offset) => memory[slot * slotBytes + offset] ?? 0,
  };
}
