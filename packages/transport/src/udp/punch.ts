import { LatentError, type PeerKey } from '@latent/protocol';
import { toAbortError } from '../abort.ts';
import { bytesOfHex, hexOfBytes } from '../hex.ts';
import type { KeyPair } from '../key-pair.ts';
import type { Path } from '../paths/path.ts';
import { after } from '../timers.ts';
import { PROBE_BYTES } from './packet.ts';
import { secureUdp } from './secure-udp.ts';
import { formatUdpAddress, parseUdpAddress, type UdpAddress } from './udp-address.ts';
import type { UdpPort } from './udp-port.ts';

/** When probes are sent, in milliseconds from the beginning: the other side begins up to a round trip later. */
const DIALLER_PROBES_MS = [0, 50, 100, 200, 350, 550, 800, 1_200, 1_800, 2_600, 3_500];
const LISTENER_PROBES_MS = [0, 200, 600, 1_400, 2_600];
/** Most addresses that probes are sent to, heard-from ones included. */
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
 * The dialling side: sends probes until one comes back, and opens a path there.
 * @throws LatentError PEER_UNREACHABLE, PEER_WRONG_KEY, CANCELLED, TIMED_OUT
 */
export async function punch(port: UdpPort, hole: Hole, key: PeerKey, options: PunchOptions): Promise<Path> {
  const remote = await findWay(port, hole, options.signal);
  const stream = port.createStream(hole.streamId);
  try {
    port.connectStream(stream, hole.remoteStreamId, remote);
  } catch (thrown) {
    stream.destroy();
    throw thrown;
  }
  const path = await secureUdp(stream, { ...options, isInitiator: true, remote });
  if (path.remoteKey === key) return path;
  path.destroy();
  throw new LatentError('PEER_WRONG_KEY', `${formatUdpAddress(remote)} proved another key than the peer's.`, {
    details: { expected: key, actual: path.remoteKey },
  });
}

/** Resolves with the first address from which a probe of ours was answered. */
function findWay(port: UdpPort, hole: Hole, signal: AbortSignal): Promise<UdpAddress> {
  return new Promise((resolve, reject) => {
    const settle = (done: () => void) => {
      probing.stop();
      signal.removeEventListener('abort', onAbort);
      done();
    };
    const onAbort = () => settle(() => reject(toAbortError(signal, 'Punching a hole')));
    const probing = probe(port, hole, {
      timesMs: DIALLER_PROBES_MS,
      maxProbes: DIALLER_PROBES_MS.length * MAX_TARGETS,
      onEcho: (from) => settle(() => resolve(from)),
      onExhausted: () =>
        settle(() =>
          reject(new LatentError('PEER_UNREACHABLE', 'No probe came back: the NATs between let none through.')),
        ),
    });
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
  });
}

export interface AwaitPunchOptions extends PunchOptions {
  /** Most bytes of probes that are sent unasked: no more than the introduction that asked for them. */
  readonly maxProbeBytes: number;
}

/**
 * The listening side: opens its NAT towards the other side by probes, and waits for the stream there.
 * @throws LatentError PEER_UNREACHABLE, CANCELLED, TIMED_OUT
 */
export async function awaitPunch(port: UdpPort, hole: Hole, options: AwaitPunchOptions): Promise<Path> {
  const { signal } = options;
  const knocked = Promise.withResolvers<UdpAddress>();
  const stream = port.createStream(hole.streamId, (from) => {
    if (stream.connected) return;
    port.connectStream(stream, hole.remoteStreamId, from);
    knocked.resolve(from);
  });
  const onAbort = () => knocked.reject(toAbortError(signal, 'Waiting for the peer'));
  const probing = probe(port, hole, {
    timesMs: LISTENER_PROBES_MS,
    maxProbes: Math.floor(options.maxProbeBytes / PROBE_BYTES),
    onEcho: () => undefined,
    onExhausted: () => undefined,
  });
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort);
  try {
    const remote = await knocked.promise;
    return await secureUdp(stream, { ...options, isInitiator: false, remote });
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
  readonly onEcho: (from: UdpAddress) => void;
  /** All probes were sent, and time was left for the last ones. */
  readonly onExhausted: () => void;
}

/** Sends probes at the times given, answers those of the other side, and learns addresses from them. */
function probe(port: UdpPort, hole: Hole, options: ProbeOptions): { readonly stop: () => void } {
  const token = bytesOfHex(hole.token);
  const targets = new Map<string, UdpAddress>();
  for (const text of hole.addresses) {
    const address = parseUdpAddress(text);
    if (address !== undefined && targets.size < MAX_TARGETS) targets.set(formatUdpAddress(address), address);
  }
  let probesLeft = options.maxProbes;
  const sendTo = (to: UdpAddress) => {
    if (probesLeft <= 0) return;
    probesLeft -= 1;
    port.send({ kind: 'probe', token }, to);
  };
  const stopPackets = port.onPacket((packet, from) => {
    if (hexOfBytes(packet.token) !== hole.token) return;
    if (packet.kind === 'echo') return options.onEcho(from);
    if (packet.kind !== 'probe') return;
    port.send({ kind: 'echo', token }, from);
    const name = formatUdpAddress(from);
    if (targets.has(name) || targets.size >= MAX_TARGETS) return;
    // An address that nobody named: that of a NAT which maps each destination anew. It can be answered.
    targets.set(name, from);
    sendTo(from);
  });
  const [lastMs = 0] = options.timesMs.slice(-1);
  const timers = options.timesMs.map((atMs) =>
    after(atMs, () => {
      for (const target of targets.values()) sendTo(target);
    }),
  );
  timers.push(after(lastMs + 1_000, options.onExhausted));
  return {
    stop: () => {
      stopPackets();
      for (const stop of timers) stop();
    },
  };
}
