import { createHmac, timingSafeEqual } from 'node:crypto';
import { type LatentError, toLatentError } from '@latent/protocol';
import type { Admission } from '../admission.ts';
import { hexOfBytes } from '../hex.ts';
import { type KeyPair, randomBytes } from '../key-pair.ts';
import type { Path } from '../paths/path.ts';
import { after, every } from '../timers.ts';
import { randomStreamId } from './knock.ts';
import { COOKIE_BYTES, type PeerPacket } from './packet.ts';
import { secureUdp } from './secure-udp.ts';
import { formatUdpAddress, type UdpAddress } from './udp-address.ts';
import type { UdpPort } from './udp-port.ts';

/** The secret behind cookies lives so long; the one before is honoured too. */
const COOKIE_LIFE_MS = 60_000;

export interface AnswerKnocksOptions {
  readonly keyPair: KeyPair;
  readonly handshakeTimeoutMs: number;
  readonly admission: Admission;
  readonly signal: AbortSignal;
  readonly onPath: (path: Path, release: () => void) => void;
  readonly onRefused: (refusal: { readonly remoteAddress: string; readonly error: LatentError }) => void;
}

/**
 * Answers those who knock at our UDP port. Nothing is kept for a knock until it carries a cookie, which shows that its sender receives
 * what is sent to its address (as QUIC's Retry, RFC 9000 §8.1): forged senders cost us an answer of the same length and no memory.
 */
export function answerKnocks(port: UdpPort, options: AnswerKnocksOptions): void {
  const { signal, admission, onRefused } = options;
  /** The streams opened for knocks that may be repeated, as the answer may get lost. */
  const opened = new Map<string, number>();
  let secrets = [randomBytes(32), randomBytes(32)];
  const stopRotation = every(COOKIE_LIFE_MS, () => {
    secrets = [randomBytes(32), secrets[0] ?? randomBytes(32)];
  });
  const isGood = (cookie: Uint8Array, from: UdpAddress) =>
    secrets.some((secret) => timingSafeEqual(cookieFor(secret, from), cookie));

  async function open(knock: PeerPacket & { readonly kind: 'knock' }, from: UdpAddress, name: string): Promise<void> {
    const admitted = admission.admit(from.host);
    if (admitted === undefined) return;
    const streamId = randomStreamId();
    opened.set(name, streamId);
    const stream = port.createStream(streamId);
    const forget = () => opened.delete(name);
    stream.on('close', () => {
      forget();
      admitted.release();
    });
    try {
      port.connectStream(stream, knock.streamId, from);
      port.send({ kind: 'opened', token: knock.token, streamId }, from);
      const limit = AbortSignal.any([signal, AbortSignal.timeout(options.handshakeTimeoutMs)]);
      const path = await secureUdp(port, stream, {
        keyPair: options.keyPair,
        isInitiator: false,
        remote: from,
        signal: limit,
      });
      // The path has to say what it is for in the same time.
      const stopTimer = after(options.handshakeTimeoutMs, () => path.destroy());
      options.onPath(path, () => {
        stopTimer();
        forget();
        admitted.handshakeDone();
      });
    } catch (thrown) {
      stream.destroy();
      onRefused({ remoteAddress: formatUdpAddress(from), error: toLatentError(thrown) });
    }
  }

  const stopPackets = port.onPacket((packet, from) => {
    if (packet.kind !== 'knock') return;
    if (!isGood(packet.cookie, from)) {
      const cookie = cookieFor(secrets[0] ?? randomBytes(32), from);
      return port.send({ kind: 'cookie', token: packet.token, cookie }, from);
    }
    const name = `${formatUdpAddress(from)} ${hexOfBytes(packet.token)}`;
    const streamId = opened.get(name);
    if (streamId !== undefined) port.send({ kind: 'opened', token: packet.token, streamId }, from);
    else void open(packet, from, name);
  });
  signal.addEventListener('abort', () => {
    stopPackets();
    stopRotation();
  });
}

function cookieFor(secret: Uint8Array, from: UdpAddress): Uint8Array {
  return createHmac('sha256', secret).update(formatUdpAddress(from)).digest().subarray(0, COOKIE_BYTES);
}
