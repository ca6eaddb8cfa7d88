import { writeFileSync } from 'node:fs';
import { failedCall, type Libc } from './libc.ts';

/** For `ioctl`, from linux/if_tun.h and linux/sockios.h; the same on every processor that Node runs on. */
const TUNSETIFF = 0x4004_54ca;
const TUNSETPERSIST = 0x4004_54cb;
const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const SIOCSIFADDR = 0x8916;
const SIOCSIFNETMASK = 0x891c;
const SIOCSIFMTU = 0x8922;

const IFF_TUN_NO_PI = 0x0001 | 0x1000;
const IFF_UP = 0x1;
const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2_000_000;
const O_RDWR_NONBLOCK_CLOEXEC = 0o2 | 0o4_000 | 0o2_000_000;

/** `struct ifreq`: the device's name, then what the request is about. */
const IFREQ_BYTES = 40;
const NAME_BYTES = 16;
const SOCKADDR_ADDRESS = NAME_BYTES + 4;

export interface DeviceSettings {
  readonly name: string;
  readonly address: string;
  readonly prefixLength: number;
  /** Largest packet, in bytes. */
  readonly mtu: number;
}

/**
 * Takes up the TUN device of this process' network namespace, or makes it, and sets it and `lo` up. It stays when nobody holds it, with
 * address and routes. Repeatable.
 * @returns what the device is read and written by
 * @throws where a call fails; says which
 */
export function configureDevice(libc: Libc, { name, address, prefixLength, mtu }: DeviceSettings): number {
  const fd = must('open /dev/net/tun', libc.open('/dev/net/tun', O_RDWR_NONBLOCK_CLOEXEC));
  const request = ifreq(name);
  request.writeUInt16LE(IFF_TUN_NO_PI, NAME_BYTES);
  must('TUNSETIFF', libc.ioctl(fd, TUNSETIFF, request));
  must('TUNSETPERSIST', libc.ioctl(fd, TUNSETPERSIST, Buffer.from([1])));
  forgetIpv6(name);
  const socket = must('socket', libc.socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0));
  try {
    setUp(libc, socket, 'lo');
    must('SIOCSIFMTU', libc.ioctl(socket, SIOCSIFMTU, withNumber(name, mtu)));
    must('SIOCSIFADDR', libc.ioctl(socket, SIOCSIFADDR, withAddress(name, toBytes(address))));
    must('SIOCSIFNETMASK', libc.ioctl(socket, SIOCSIFNETMASK, withAddress(name, netmask(prefixLength))));
    setUp(libc, socket, name);
  } finally {
    libc.close(socket);
  }
  return fd;
}

function must(call: string, answer: number): number {
  if (answer < 0) throw failedCall(call);
  return answer;
}

/** Only IPv4 is carried: an address of the other kind would be one that nobody is reached at. */
function forgetIpv6(name: string): void {
  try {
    writeFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, '1');
  } catch {
    // A kernel without IPv6, or settings that are shown read-only, as in containers. What comes of it is dropped anyway.
  }
}

function setUp(libc: Libc, socket: number, name: string): void {
  const request = ifreq(name);
  must('SIOCGIFFLAGS', libc.ioctl(socket, SIOCGIFFLAGS, request));
  request.writeUInt16LE(request.readUInt16LE(NAME_BYTES) | IFF_UP, NAME_BYTES);
  must('SIOCSIFFLAGS', libc.ioctl(socket, SIOCSIFFLAGS, request));
}

function ifreq(name: string): Buffer {
  const request = Buffer.alloc(IFREQ_BYTES);
  request.write(name, 'latin1');
  return request;
}

function withNumber(name: string, value: number): Buffer {
  const request = ifreq(name);
  request.writeInt32LE(value, NAME_BYTES);
  return request;
}

function withAddress(name: string, address: Uint8Array): Buffer {
  const request = ifreq(name);
  request.writeUInt16LE(AF_INET, NAME_BYTES);
  request.set(address, SOCKADDR_ADDRESS);
  return request;
}

const toBytes = (address: string) => Uint8Array.from(address.split('.'), Number);

function netmask(prefixLength: number): Uint8Array {
  const mask = Buffer.alloc(4);
  mask.writeUInt32BE(prefixLength === 0 ? 0 : (0xffff_ffff << (32 - prefixLength)) >>> 0);
  return mask;
}
