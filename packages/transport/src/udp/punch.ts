import { LatentError, type PeerKey } from '@latent/protocol';
import { toAbortError } from '../abort.ts';
import { bytesOfHex, hexOfBytes } from '../hex.ts';
import { type KeyPair, randomBytes } from '../key-pair.ts';
import type { Path } from '../paths/path.ts';
import { after } from '../timers.ts';
import { NONCE_BYTES, type PeerPacket, PROBE_BYTES } from './packet.ts';
import { secureUdp } from './secure-udp.ts';
import { formatUdpAddress, parseUdpAddress, type UdpAddress } from './udp-address.ts';
import type { UdpPort } from './udp-port.ts';

/** When probes are sent, in milliseconds from the beginning: the other side begins up to a round trip later. */
const DIALLER_PROBES_MS = [0, 50, 100, 200, 350, 550, 800, 1_200, 1_800, 2_600, 3_500];
const LISTENER_PROBES_MS = [0, 200, 600, 1_400, 2_600];
/** Most addresses that are dealt with, heard-from ones included. */
const MAX_TARGETS = 16;

/** What both sides agreed on by a book. */
export interface Hole {
  /** 16 bytes of hex. */
  readonly token: string;
  /** Of the other side. */
  readonly addresses: readonly string[];
  /** The number of the stream: ours, and the other side's. */
  readonly streamId: number;
  readonly remoteStreamId: number;
}

export interface PunchOptions {
  readonly keyPair: KeyPair;
  readonly signal: AbortSignal;
}

/**
 * The dialling side: sends probes until an address shows that it receives them, and opens a path there.
 * @throws LatentError PEER_UNREACHABLE, PEER_WRONG_KEY, CANCELLED, TIMED_OUT
 */
export async function punch(port: UdpPort, hole: Hole, key: PeerKey, options: PunchOptions): Promise<Path> {
  const found = Promise.withResolvers<UdpAddress>();
  const onAbort = () => found.reject(toAbortError(options.signal, 'Punching a hole'));
  // Goes on until the path is there: the other side takes nothing from us before it has heard our confirm, which may get lost.
  const probing = probe(port, hole, {
    timesMs: DIALLER_PROBES_MS,
    maxProbes: DIALLER_PROBES_MS.length * MAX_TARGETS,
    onVerified: found.resolve,
    onExhausted: () =>
      found.reject(new LatentError('PEER_UNREACHABLE', 'No probe came back: the NATs between let none through.')),
  });
  if (options.signal.aborted) onAbort();
  else options.signal.addEventListener('abort', onAbort);
  try {
    const remote = await found.promise;
    probing.keepOnly(remote);
    return await openPath(port, hole, key, { ...options, remote });
  } finally {
    probing.stop();
    options.signal.removeEventListener('abort', onAbort);
  }
}

async function openPath(
  port: UdpPort,
  hole: Hole,
  key: PeerKey,
  options: PunchOptions & { readonly remote: UdpAddress },
): Promise<Path> {
  const { remote } = options;
  const stream = port.createStream(hole.streamId);
  try {
    port.connectStream(stream, hole.remoteStreamId, remote);
  } catch (thrown) {
    stream.destroy();
    throw thrown;
  }
  const path = await secureUdp(port, stream, { ...options, isInitiator: true });
  if (path.remoteKey === key) return path;
  path.destroy();
  throw new LatentError('PEER_WRONG_KEY', `${formatUdpAddress(remote)} proved another key than the peer's.`, {
    details: { expected: key, actual: path.remoteKey },
  });
}

export interface AwaitPunchOptions extends PunchOptions {
  /** Most bytes of probes that are sent unasked: no more than the introduction that asked for them. */
  readonly maxProbeBytes: number;
}

/**
 * The listening side: opens its NAT towards the other side by probes, and waits for the stream from an address that has shown that it
 * receives what is sent there: a stream answers more than it is sent.
 * @throws LatentError PEER_UNREACHABLE, CANCELLED, TIMED_OUT
 */
export async function awaitPunch(port: UdpPort, hole: Hole, options: AwaitPunchOptions): Promise<Path> {
  const { signal } = options;
  const knocked = Promise.withResolvers<UdpAddress>();
  const probing = probe(port, hole, {
    timesMs: LISTENER_PROBES_MS,
    maxProbes: Math.floor(options.maxProbeBytes / PROBE_BYTES),
    onVerified: () => undefined,
    onExhausted: () => undefined,
  });
  const stream = port.createStream(hole.streamId, (from) => {
    if (stream.connected) return true;
    if (!probing.isVerified(from)) return false;
    port.connectStream(stream, hole.remoteStreamId, from);
    knocked.resolve(from);
    return true;
  });
  const onAbort = () => knocked.reject(toAbortError(signal, 'Waiting for the peer'));
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort);
  try {
    const remote = await knocked.promise;
    return await secureUdp(port, stream, { ...options, isInitiator: false, remote });
  } catch (thrown) {
    stream.destroy();
    throw thrown;
  } finally {
    probing.stop();
    signal.removeEventListener('abort', onAbort);
  }
}

interface ProbeOptions {
  readonly timesMs: readonly number[];
  readonly maxProbes: number;
  /** An address has shown that it receives what we send there; again whenever it shows it again. */
  readonly onVerified: (address: UdpAddress) => void;
  /** All probes were sent, and time was left for the last ones. */
  readonly onExhausted: () => void;
}

interface Probing {
  isVerified(address: UdpAddress): boolean;
  /** Sends no more probes to others. */
  keepOnly(address: UdpAddress): void;
  stop(): void;
}

interface Target {
  readonly address: UdpAddress;
  /** Who gives it back receives what is sent to the address. */
  readonly nonce: Uint8Array;
  isVerified: boolean;
}

/** Sends probes at the times given, answers those of the other side, and learns addresses from them. */
function probe(port: UdpPort, hole: Hole, options: ProbeOptions): Probing {
  const token = bytesOfHex(hole.token);
  const targets = new Map<string, Target>();
  const addTarget = (address: UdpAddress): Target | undefined => {
    const name = formatUdpAddress(address);
    const known = targets.get(name);
    if (known !== undefined || targets.size >= MAX_TARGETS) return known;
    const target = { address, nonce: randomBytes(NONCE_BYTES), isVerified: false };
    targets.set(name, target);
    return target;
  };
  for (const text of hole.addresses) {
    const address = parseUdpAddress(text);
    if (address !== undefined) addTarget(address);
  }
  let probed: readonly Target[] | undefined;
  let probesLeft = options.maxProbes;
  const sendTo = ({ address, nonce }: Target) => {
    if (probesLeft <= 0) return;
    probesLeft -= 1;
    port.send({ kind: 'probe', token, nonce }, address);
  };
  const receive = (packet: PeerPacket, from: UdpAddress) => {
    if (!('nonce' in packet) || hexOfBytes(packet.token) !== hole.token) return;
    const isKnown = targets.has(formatUdpAddress(from));
    // An address that nobody named is that of a NAT which maps each destination anew. It can be answered.
    const target = addTarget(from);
    if (target === undefined) return;
    if (packet.kind === 'probe') {
      port.send({ kind: 'echo', token, nonce: packet.nonce, ownNonce: target.nonce }, from);
    } else if (hexOfBytes(packet.nonce) === hexOfBytes(target.nonce)) {
      target.isVerified = true;
      if (packet.kind === 'echo') port.send({ kind: 'confirm', token, nonce: packet.ownNonce }, from);
      options.onVerified(target.address);
    }
    if (!isKnown && !target.isVerified) sendTo(target);
  };
  const stopPackets = port.onPacket(receive);
  const [lastMs = 0] = options.timesMs.slice(-1);
  const timers = options.timesMs.map((atMs) =>
    after(atMs, () => {
      for (const target of probed ?? targets.values()) sendTo(target);
    }),
  );
  timers.push(after(lastMs + 1_000, options.onExhausted));
  return {
    isVerified: (address) => targets.get(formatUdpAddress(address))?.isVerified === true,
    keepOnly: (address) => {
      const target = targets.get(formatUdpAddress(address));
      probed = target === undefined ? [] : [target];
    },
    stop: () => {
      stopPackets();
      for (const stop of timers) stop();
    },
  };
}
