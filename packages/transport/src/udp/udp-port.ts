import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type DiscoveryAnswer, decodeDiscoveryAnswer, LatentError } from '@latent/protocol';
import UDX, { type UdxSocket, type UdxStream } from 'udx-native';
import { HoardLimit, type HoardLimits } from './hoard-limit.ts';
import { decodePeerPacket, encodePeerPacket, type PeerPacket } from './packet.ts';
import type { UdpAddress } from './udp-address.ts';

export interface UdpPortOptions {
  /** IP address to bind. The wildcard `0.0.0.0` binds that of IPv6 too, where the machine has it. */
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
  /** What peers may make us keep. */
  readonly hoardLimits?: HoardLimits;
}

export type FromPacket = (packet: PeerPacket, from: UdpAddress) => void;

/** The UDP sockets of a transport: streams, and the packets that find them. */
export interface UdpPort {
  /** Where this machine's own sockets are, as its interfaces say: loopback only if nothing else is bound. */
  readonly localAddresses: () => readonly UdpAddress[];
  /** The port that is bound. */
  readonly port: number;
  readonly isIPv6: boolean;
  /** Whether there is a socket of the address's family. */
  canReach(host: string): boolean;
  /** @param letsIn asked for each packet that comes before the stream is connected; it has to connect it first. Missing: none is let in */
  createStream(id: number, letsIn?: (from: UdpAddress) => boolean): UdxStream;
  /** @param stream one of {@link createStream} */
  connectStream(stream: UdxStream, remoteId: number, to: UdpAddress): void;
  /** As {@link HoardLimit.watch}. */
  limitHoard(stream: UdxStream): (writtenBytes: number) => void;
  send(packet: PeerPacket, to: UdpAddress): void;
  sendRaw(packet: Uint8Array, to: UdpAddress): void;
  /** Hears of packets of peers. @returns stops it */
  onPacket(listener: FromPacket): () => void;
  onDiscovery(listener: (answer: DiscoveryAnswer) => void): () => void;
  close(): Promise<void>;
}

/** What the kernel may hold for us: a burst at 100 MB/s is lost otherwise while we are busy for some milliseconds. */
const KERNEL_BUFFER_BYTES = 4 * 1024 * 1024;

/** @throws LatentError CONFIG_INVALID (the address cannot be bound) */
export function openUdpPort({ address, port, hoardLimits }: UdpPortOptions): UdpPort {
  const udx = new UDX();
  const listeners = new Set<FromPacket>();
  const discoveries = new Set<(answer: DiscoveryAnswer) => void>();
  const first = bind(udx, address, port);
  const boundPort = first.address()?.port ?? port;
  const sockets = [first];
  const hoard = new HoardLimit(hoardLimits);
  // Not every machine has IPv6, and the same number may be taken there: then it goes without.
  if (address === '0.0.0.0') sockets.push(...tryBind(udx, '::', boundPort));

  for (const socket of sockets) {
    socket.on('message', (bytes, { host, port: fromPort }) => {
      const packet = decodePeerPacket(bytes);
      if (packet !== undefined) {
        for (const listener of [...listeners]) listener(packet, { host, port: fromPort });
        return;
      }
      const answer = decodeDiscoveryAnswer(bytes);
      if (answer !== undefined) for (const listener of [...discoveries]) listener(answer);
    });
  }
  const socketFor = (host: string): UdxSocket | undefined =>
    sockets.find((socket) => (socket.address()?.family === 6) === isIPv6(host));
  const sendRaw = (packet: Uint8Array, to: UdpAddress) => socketFor(to.host)?.trySend(packet, to.port, to.host);

  return {
    port: boundPort,
    isIPv6: sockets.some((socket) => socket.address()?.family === 6),
    canReach: (host) => socketFor(host) !== undefined,
    localAddresses: () => listLocalAddresses(address, boundPort, sockets.length > 1),
    createStream: (id, letsIn) =>
      udx.createStream(id, { firewall: (_socket, fromPort, host) => letsIn?.({ host, port: fromPort }) !== true }),
    connectStream: (stream, remoteId, { host, port: toPort }) => {
      const socket = socketFor(host);
      if (socket === undefined) throw toNoWayError(host);
      stream.connect(socket, remoteId, toPort, host);
    },
    limitHoard: (stream) => hoard.watch(stream),
    send: (packet, to) => sendRaw(encodePeerPacket(packet), to),
    sendRaw,
    onPacket: (listener) => subscribe(listeners, listener),
    onDiscovery: (listener) => subscribe(discoveries, listener),
    close: async () => {
      hoard.stop();
      await Promise.all(sockets.map((socket) => socket.close()));
    },
  };
}

/** For hosts that a port cannot reach. */
export function toNoWayError(host: string): LatentError {
  return new LatentError('PEER_UNREACHABLE', `This machine has no socket that reaches ${host}.`, { details: { host } });
}

function subscribe<Listener>(listeners: Set<Listener>, listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function bind(udx: UDX, host: string, port: number): UdxSocket {
  const socket = udx.createSocket({ ipv6Only: isIPv6(host) });
  try {
    socket.bind(port, host);
  } catch (cause) {
    throw new LatentError('CONFIG_INVALID', `UDP port ${port} of ${host} cannot be bound.`, {
      hint: 'Choose an address of this machine and a port that is free, or port 0.',
      details: { address: host, port },
      cause,
    });
  }
  socket.setRecvBufferSize(KERNEL_BUFFER_BYTES);
  socket.setSendBufferSize(KERNEL_BUFFER_BYTES);
  return socket;
}

function tryBind(udx: UDX, host: string, port: number): readonly UdxSocket[] {
  try {
    return [bind(udx, host, port)];
  } catch {
    return [];
  }
}

/** The address bound, or, for a wildcard, those of the machine's interfaces that others can reach. */
function listLocalAddresses(address: string, port: number, hasIPv6: boolean): readonly UdpAddress[] {
  if (address !== '0.0.0.0' && address !== '::') return [{ host: address, port }];
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address: host }) => !internal && !host.startsWith('fe80:'))
    .filter(({ address: host }) => (isIPv6(host) ? hasIPv6 || address === '::' : address !== '::'))
    .map(({ address: host }) => ({ host, port }));
}
