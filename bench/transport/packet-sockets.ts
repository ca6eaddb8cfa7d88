import { endianness } from 'node:os';
import { LatentError } from '@latent/protocol';
import { address, load, node } from 'koffi';

// UDP sockets on 127.0.0.1, many packets a system call: Node's own make an object and two calls of each packet, and then it is
// their speed that is measured. The structures are those of 64-bit Linux on little-endian processors.

const AF_INET = 2;
const SOCK_DGRAM_NONBLOCK = 2 | 0o4000;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const MSG_DONTWAIT = 0x40;
const ADDRESS_BYTES = 16;
const LOOPBACK = [127, 0, 0, 1];
/** What the kernel may hold: it must not lose what is not to be lost. */
const KERNEL_BUFFER_BYTES = 4 * 1024 * 1024;

/** `struct mmsghdr`, as words of 4 bytes. */
const HEADER = { words: 16, name: 0, nameLength: 2, parts: 4, partCount: 6, received: 14 } as const;
/** `struct iovec` likewise. */
const PART = { words: 4, base: 0, length: 2 } as const;
const WORD_BYTES = 4;
const SLOT_BYTES = 2_048;
/** Most packets of one system call. */
const BATCH = 64;

/** Functions of the C library. A structure is given by its address, or as bytes. */
interface Calls {
  readonly socket: (family: number, type: number, protocol: number) => number;
  readonly bind: (fd: number, name: Uint8Array, length: number) => number;
  readonly name: (fd: number, name: Uint8Array, length: Uint32Array) => number;
  readonly option: (fd: number, level: number, option: number, value: Uint32Array, length: number) => number;
  readonly receive: (fd: number, headers: bigint, count: number, flags: number, timeout: null) => number;
  readonly send: (fd: number, headers: bigint, count: number, flags: number) => number;
}

const libc = load('libc.so.6');
const call: Calls = {
  socket: libc.func('int socket(int, int, int)'),
  bind: libc.func('int bind(int, const void *, uint32_t)'),
  name: libc.func('int getsockname(int, void *, uint32_t *)'),
  option: libc.func('int setsockopt(int, int, int, const void *, uint32_t)'),
  receive: libc.func('int recvmmsg(int, void *, uint32_t, int, void *)'),
  send: libc.func('int sendmmsg(int, void *, uint32_t, int)'),
};

/** A handle that nobody holds is collected, and then it watches no more. */
const watched: node.PollHandle[] = [];

export interface PacketSocket {
  readonly fd: number;
  readonly port: number;
}

/** Opens a socket on a free port. It lasts as long as the process. */
export function openPacketSocket(onReadable: (socket: PacketSocket) => void): PacketSocket {
  if (endianness() !== 'LE') throw new LatentError('CONFIG_INVALID', 'The forwarder wants a little-endian processor.');
  const fd = call.socket(AF_INET, SOCK_DGRAM_NONBLOCK, 0);
  const name = Buffer.from([AF_INET, 0, 0, 0, ...LOOPBACK, ...new Array<number>(8).fill(0)]);
  const size = Uint32Array.of(KERNEL_BUFFER_BYTES);
  if (fd < 0 || call.bind(fd, name, ADDRESS_BYTES) < 0)
    throw new LatentError('INTERNAL', 'No UDP socket can be bound.');
  for (const option of [SO_SNDBUF, SO_RCVBUF]) call.option(fd, SOL_SOCKET, option, size, WORD_BYTES);
  call.name(fd, name, Uint32Array.of(ADDRESS_BYTES));
  const socket = { fd, port: name.readUInt16BE(2) };
  // What koffi calls back with first is a status of libuv, whatever its types say.
  watched.push(node.poll(fd, { readable: true }, () => onReadable(socket)));
  return socket;
}

/** Packets in the order in which they came, in memory that the kernel reads and writes. */
export class PacketRing {
  readonly #slots: number;
  readonly #headers: Uint32Array;
  readonly #parts: Uint32Array;
  readonly #names: Buffer;
  readonly #headersAt: bigint;
  /** Of the first packet held, and of the next to come; counted on without end. */
  #first = 0;
  #next = 0;

  constructor(slots: number) {
    this.#slots = slots;
    const memory = Buffer.alloc(slots * SLOT_BYTES);
    this.#names = Buffer.alloc(slots * ADDRESS_BYTES);
    this.#headers = new Uint32Array(slots * HEADER.words);
    this.#parts = new Uint32Array(slots * PART.words);
    this.#headersAt = address(this.#headers);
    const [memoryAt, namesAt, partsAt] = [address(memory), address(this.#names), address(this.#parts)];
    const headers = new BigUint64Array(this.#headers.buffer);
    const parts = new BigUint64Array(this.#parts.buffer);
    for (let slot = 0; slot < slots; slot += 1) {
      const header = (slot * HEADER.words) / 2;
      headers[header + HEADER.name / 2] = namesAt + BigInt(slot * ADDRESS_BYTES);
      headers[header + HEADER.parts / 2] = partsAt + BigInt(slot * PART.words * WORD_BYTES);
      headers[header + HEADER.partCount / 2] = 1n;
      parts[(slot * PART.words) / 2 + PART.base / 2] = memoryAt + BigInt(slot * SLOT_BYTES);
    }
    // Views of it would not keep it: the kernel has its address alone.
    held.push(memory);
  }

  get first(): number {
    return this.#first;
  }

  get next(): number {
    return this.#next;
  }

  /** Takes in what is there, at most a batch. @returns how many packets came; they are the last ones before `next` */
  receive(fd: number): number {
    const count = this.#room(this.#next, this.#first + this.#slots - this.#next);
    const from = this.#next % this.#slots;
    for (let slot = from; slot < from + count; slot += 1) {
      this.#headers[slot * HEADER.words + HEADER.nameLength] = ADDRESS_BYTES;
      this.#parts[slot * PART.words + PART.length] = SLOT_BYTES;
    }
    const came = count === 0 ? 0 : Math.max(0, call.receive(fd, this.#headerAt(from), count, MSG_DONTWAIT, null));
    this.#next += came;
    return came;
  }

  /** Where a packet came from, or goes to. */
  portOf(packet: number): number {
    return this.#names.readUInt16BE((packet % this.#slots) * ADDRESS_BYTES + 2);
  }

  setPort(packet: number, port: number): void {
    this.#names.writeUInt16BE(port, (packet % this.#slots) * ADDRESS_BYTES + 2);
  }

  /** Sends the first packets, at most so many and a batch. @returns how many were sent; they are held no more */
  send(fd: number, most: number): number {
    const count = this.#room(this.#first, most);
    const from = this.#first % this.#slots;
    for (let slot = from; slot < from + count; slot += 1) {
      this.#parts[slot * PART.words + PART.length] = this.#headers[slot * HEADER.words + HEADER.received] ?? 0;
    }
    const sent = Math.max(0, call.send(fd, this.#headerAt(from), count, MSG_DONTWAIT));
    this.#first += sent;
    return sent;
  }

  /** Forgets the first packet. */
  drop(): void {
    this.#first += 1;
  }

  /** Packets from `packet` on that lie behind one another, at most `most` and a batch. */
  #room(packet: number, most: number): number {
    return Math.min(most, BATCH, this.#slots - (packet % this.#slots));
  }

  #headerAt(slot: number): bigint {
    return this.#headersAt + BigInt(slot * HEADER.words * WORD_BYTES);
  }
}

const held: Buffer[] = [];
