import { drawLosses } from './draw-losses.ts';
import type { ForwarderSetup, ForwarderTold } from './forwarder-notes.ts';
import { openPacketSocket, PacketRing, type PacketSocket } from './packet-sockets.ts';

/** Packets on their way at once, each way: 150 ms of 150 MB/s. */
const SLOTS = 16_384;
/** Then the clock and the other way have their turn. */
const BATCHES_AT_ONCE = 8;
const LOOK_MS = 1;

export interface Forwarder {
  readonly port: number;
  counts(): ForwarderTold & { readonly kind: 'counted' };
}

/** Delays and loses packets between whoever sends to its port and a port of this machine; a socket for each sender, like a NAT. */
export async function forwardUdp({ to, delayMs, loss, seed }: ForwarderSetup): Promise<Forwarder> {
  const front = openPacketSocket((socket) => read(there, socket));
  /** The sockets that stand for those who send to us, by their ports, and the other way round. */
  const guests = new Map<number, PacketSocket>();
  const ports = new Map<PacketSocket, number>();
  const welcome = (port: number): PacketSocket => {
    const guest = openPacketSocket((socket) => read(back, socket));
    guests.set(port, guest);
    ports.set(guest, port);
    return guest;
  };
  const there = new Way(delayMs, drawLosses(loss, seed), (_, from) => ({ by: guests.get(from) ?? welcome(from), to }));
  const back = new Way(delayMs, drawLosses(loss, ~seed), (socket) => ({ by: front, to: ports.get(socket) ?? 0 }));
  let isTimed = false;

  function read(way: Way, socket: PacketSocket): void {
    way.receive(socket);
    advance();
  }

  function advance(): void {
    const now = performance.now();
    there.advance(now);
    back.advance(now);
    if (isTimed || there.waiting + back.waiting === 0) return;
    isTimed = true;
    setTimeout(() => {
      isTimed = false;
      advance();
    }, LOOK_MS);
  }

  return {
    port: front.port,
    counts: () => ({ kind: 'counted', packets: there.packets + back.packets, lost: there.lost + back.lost }),
  };
}

interface Onward {
  readonly by: PacketSocket;
  readonly to: number;
}

/** One direction. */
class Way {
  packets = 0;
  lost = 0;
  readonly #delayMs: number;
  readonly #isLost: () => boolean;
  readonly #route: (socket: PacketSocket, from: number) => Onward;
  readonly #ring = new PacketRing(SLOTS);
  readonly #dueMs = new Float64Array(SLOTS);
  /** By which socket a packet leaves; -1: it is lost. */
  readonly #fds = new Int32Array(SLOTS);

  constructor(delayMs: number, isLost: () => boolean, route: (socket: PacketSocket, from: number) => Onward) {
    this.#delayMs = delayMs;
    this.#isLost = isLost;
    this.#route = route;
  }

  get waiting(): number {
    return this.#ring.next - this.#ring.first;
  }

  receive(socket: PacketSocket): void {
    const ring = this.#ring;
    for (let batch = 0; batch < BATCHES_AT_ONCE; batch += 1) {
      const came = ring.receive(socket.fd);
      if (came === 0) return;
      const dueMs = performance.now() + this.#delayMs;
      for (let packet = ring.next - came; packet < ring.next; packet += 1) {
        const isLost = this.#isLost();
        this.packets += 1;
        this.lost += isLost ? 1 : 0;
        const { by, to } = this.#route(socket, ring.portOf(packet));
        ring.setPort(packet, to);
        this.#dueMs[packet % SLOTS] = dueMs;
        this.#fds[packet % SLOTS] = isLost ? -1 : by.fd;
      }
    }
  }

  /** Sends what is due, in runs that leave by the same socket. */
  advance(nowMs: number): void {
    const ring = this.#ring;
    while (this.#isDue(ring.first, nowMs)) {
      const fd = this.#fds[ring.first % SLOTS] ?? -1;
      if (fd < 0) {
        ring.drop();
        continue;
      }
      let end = ring.first + 1;
      while (this.#isDue(end, nowMs) && this.#fds[end % SLOTS] === fd) end += 1;
      // The kernel takes no more now: later.
      if (ring.send(fd, end - ring.first) === 0) return;
    }
  }

  #isDue(packet: number, nowMs: number): boolean {
    return packet < this.#ring.next && (this.#dueMs[packet % SLOTS] ?? 0) <= nowMs;
  }
}
