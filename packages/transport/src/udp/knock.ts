import { LatentError, type PeerKey } from '@latent/protocol';
import { toAbortError } from '../abort.ts';
import { hexOfBytes } from '../hex.ts';
import { type KeyPair, randomBytes } from '../key-pair.ts';
import type { Path } from '../paths/path.ts';
import { every } from '../timers.ts';
import { COOKIE_BYTES, TOKEN_BYTES } from './packet.ts';
import { secureUdp } from './secure-udp.ts';
import { formatUdpAddress, parseUdpAddress } from './udp-address.ts';
import { toNoWayError, type UdpPort } from './udp-port.ts';

const REPEAT_MS = 200;

export interface KnockOptions {
  readonly keyPair: KeyPair;
  /** For knocking and handshake together. */
  readonly signal: AbortSignal;
}

/** A random number for a stream of ours; not 0, which stands for none. */
export function randomStreamId(): number {
  return (new DataView(randomBytes(4).buffer).getUint32(0) % 0xfffffffe) + 1;
}

/**
 * Opens a path to a UDP address that can be reached as it is.
 * @param hint `host:port`
 * @throws LatentError PEER_UNREACHABLE, PEER_WRONG_KEY, CANCELLED, TIMED_OUT
 */
export async function knock(port: UdpPort, hint: string, key: PeerKey, options: KnockOptions): Promise<Path> {
  const to = parseUdpAddress(hint);
  if (to === undefined) throw new LatentError('PEER_UNREACHABLE', `${hint.slice(0, 64)} is no IP address and port.`);
  if (!port.canReach(to.host)) throw toNoWayError(to.host);
  const streamId = randomStreamId();
  const stream = port.createStream(streamId);
  try {
    const remoteId = await waitUntilOpened(port, { to, streamId, signal: options.signal });
    port.connectStream(stream, remoteId, to);
  } catch (thrown) {
    stream.destroy();
    throw thrown;
  }
  const path = await secureUdp(port, stream, { ...options, isInitiator: true, remote: to });
  if (path.remoteKey === key) return path;
  path.destroy();
  throw new LatentError('PEER_WRONG_KEY', `${formatUdpAddress(to)} proved another key than the peer's.`, {
    details: { expected: key, actual: path.remoteKey },
  });
}

interface KnockAt {
  readonly to: { readonly host: string; readonly port: number };
  readonly streamId: number;
  readonly signal: AbortSignal;
}

/** Knocks until the other side says which stream it opened for us. */
function waitUntilOpened(port: UdpPort, { to, streamId, signal }: KnockAt): Promise<number> {
  const token = randomBytes(TOKEN_BYTES);
  const name = hexOfBytes(token);
  let cookie = new Uint8Array(COOKIE_BYTES);
  const send = () => port.send({ kind: 'knock', token, streamId, cookie }, to);
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(toAbortError(signal, 'Knocking'));
    const stopPackets = port.onPacket((packet) => {
      if (hexOfBytes(packet.token) !== name) return;
      if (packet.kind === 'cookie') {
        cookie = Uint8Array.from(packet.cookie);
        send();
      }
      if (packet.kind === 'opened') settle(() => resolve(packet.streamId));
    });
    const stopTimer = every(REPEAT_MS, send);
    const onAbort = () =>
      settle(() => reject(toAbortError(signal, `${formatUdpAddress(to)} did not answer; connecting`)));
    const settle = (done: () => void) => {
      stopPackets();
      stopTimer();
      signal.removeEventListener('abort', onAbort);
      done();
    };
    signal.addEventListener('abort', onAbort);
    send();
  });
}
