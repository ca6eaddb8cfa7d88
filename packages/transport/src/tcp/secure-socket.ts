import type { Socket } from 'node:net';
import NoiseSecretStream from '@hyperswarm/secret-stream';
import { LatentError, type PeerKey } from '@latent/protocol';
import { toAbortError } from '../abort.ts';
import { type KeyPair, toPeerKey } from '../key-pair.ts';
import { MAX_MESSAGE_BYTES } from '../transport.ts';
import { FrameGuard } from './frame-guard.ts';
import { FRAME_KIND_BYTES } from './frame-kind.ts';

/** What the secret stream adds to a message: 1 tag byte and 16 of MAC. */
const SEAL_BYTES = 17;

export interface SecuredSocket {
  readonly noise: NoiseSecretStream;
  readonly guard: FrameGuard;
  readonly remoteKey: PeerKey;
  /** For people: `tcp 203.0.113.7:4433`. */
  readonly through: string;
}

export interface SecureSocketOptions {
  readonly keyPair: KeyPair;
  /** The side that dialled. */
  readonly isInitiator: boolean;
  /** Aborting it drops the socket. */
  readonly signal: AbortSignal;
}

/**
 * Runs the Noise handshake on a connected socket. Pattern XX: both sides prove their key in this very connection, so a
 * recorded handshake is worth nothing, and the dialler learns which key answered. (With IK the listener would have to take
 * a replayed first message for a peer, and a wrong key could not be told from noise on the line.)
 * The price: whoever answers a dial learns the dialler's key.
 * @throws LatentError PEER_UNREACHABLE, MESSAGE_TOO_LARGE, MESSAGE_INVALID, CANCELLED, TIMED_OUT; the socket is gone then
 */
export async function secureSocket(socket: Socket, options: SecureSocketOptions): Promise<SecuredSocket> {
  const { isInitiator, signal } = options;
  const guard = new FrameGuard(socket, {
    // What each side receives: the dialler message 2 and the cipher header, the listener messages 1, 3 and the header.
    handshakeFrames: isInitiator ? 2 : 3,
    maxFrameBytes: MAX_MESSAGE_BYTES + FRAME_KIND_BYTES + SEAL_BYTES,
  });
  const through = `tcp ${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;
  const publicKey = Buffer.from(options.keyPair.key.slice(2), 'hex');
  const noise = new NoiseSecretStream(isInitiator, guard, {
    keyPair: { publicKey, secretKey: Buffer.from(options.keyPair.secretKey) },
    pattern: 'XX',
    enableSend: false,
  });
  let cause: Error | undefined;
  noise.on('error', (error) => {
    cause = error;
  });
  const drop = () => noise.destroy();
  // The socket may be half open, so that a hang-up alone would not end the wait for the peer's part.
  guard.on('end', drop);
  signal.addEventListener('abort', drop);
  if (signal.aborted) drop();
  const opened = await noise.opened;
  guard.off('end', drop);
  signal.removeEventListener('abort', drop);
  if (signal.aborted) {
    noise.destroy();
    throw toAbortError(signal, 'The handshake');
  }
  if (opened && noise.remotePublicKey !== null) {
    return { noise, guard, remoteKey: toPeerKey(noise.remotePublicKey), through };
  }
  noise.destroy();
  if (cause instanceof LatentError) throw cause;
  throw new LatentError('PEER_UNREACHABLE', 'The peer did not complete the handshake.', { cause });
}
