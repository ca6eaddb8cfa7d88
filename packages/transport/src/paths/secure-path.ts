import NoiseSecretStream from '@hyperswarm/secret-stream';
import { LatentError, type PeerKey } from '@latent/protocol';
import type { Duplex } from 'streamx';
import { toAbortError } from '../abort.ts';
import { MAX_PATH_MESSAGE_BYTES } from '../connection/path-message.ts';
import { FrameLimit } from '../frame-limit.ts';
import { bytesOfHex } from '../hex.ts';
import { type KeyPair, toPeerKey } from '../key-pair.ts';
import { after } from '../timers.ts';
import { MAX_ENDING_MS, type Path, type PathListener, type Route } from './path.ts';

/** What the secret stream adds to a message: 1 tag byte and 16 of MAC. */
const SEAL_BYTES = 17;

export interface SecurePathOptions {
  readonly keyPair: KeyPair;
  /** The side that dialled. */
  readonly isInitiator: boolean;
  readonly route: () => Route;
  /** Unordered bytes are carried as packets. */
  readonly hasPackets: boolean;
  readonly roundTripMs?: () => number | undefined;
  /** Hears how many bytes each message has that is sent. */
  readonly onWritten?: (bytes: number) => void;
  /** For the handshake; aborting it drops the path. */
  readonly signal: AbortSignal;
}

/**
 * Runs Noise XX over bytes that anybody may tamper with. Both sides prove their key in this very exchange, so that neither a
 * recording nor a middleman is worth anything, and keys that leak later do not open it. (Why not IK: `tcp/secure-socket.ts`.)
 * @param raw a fresh stream of bytes; taken over, and gone when this throws
 * @throws LatentError PEER_UNREACHABLE, MESSAGE_TOO_LARGE, MESSAGE_INVALID, CANCELLED, TIMED_OUT
 */
export async function securePath(raw: Duplex, options: SecurePathOptions): Promise<Path> {
  const { isInitiator, signal, keyPair } = options;
  // What each side receives: the dialler message 2 and the cipher header, the listener messages 1, 3 and the header.
  const limit = new FrameLimit({
    handshakeFrames: isInitiator ? 2 : 3,
    maxFrameBytes: MAX_PATH_MESSAGE_BYTES + SEAL_BYTES,
  });
  let refusal: LatentError | undefined;
  let cause: Error | undefined;
  const noise = new NoiseSecretStream(isInitiator, raw, {
    keyPair: { publicKey: bytesOfHex(keyPair.key.slice(2)), secretKey: keyPair.secretKey },
    pattern: 'XX',
    enableSend: options.hasPackets,
  });
  // The secret stream listens a moment later, so this sees each chunk first. Once destroyed, that one reads no further than a prefix.
  raw.on('data', (chunk) => {
    refusal ??= limit.check(chunk);
    if (refusal !== undefined) noise.destroy(refusal);
  });
  noise.on('error', (error) => {
    cause = error;
  });
  const drop = () => noise.destroy();
  raw.on('end', drop);
  signal.addEventListener('abort', drop);
  if (signal.aborted) drop();
  const opened = await noise.opened;
  signal.removeEventListener('abort', drop);
  if (signal.aborted) {
    noise.destroy();
    throw toAbortError(signal, 'The handshake');
  }
  const remote = noise.remotePublicKey;
  if (opened && remote !== null) return new NoisePath(noise, toPeerKey(remote), options);
  noise.destroy();
  if (cause instanceof LatentError) throw cause;
  throw new LatentError('PEER_UNREACHABLE', 'The peer did not complete the handshake.', { cause });
}

class NoisePath implements Path {
  readonly remoteKey: PeerKey;
  readonly #noise: NoiseSecretStream;
  readonly #options: SecurePathOptions;
  #isOver = false;

  constructor(noise: NoiseSecretStream, remoteKey: PeerKey, options: SecurePathOptions) {
    this.#noise = noise;
    this.remoteKey = remoteKey;
    this.#options = options;
    noise.on('close', () => {
      this.#isOver = true;
    });
  }

  get route(): Route {
    return this.#options.route();
  }

  get roundTripMs(): number | undefined {
    return this.#options.roundTripMs?.();
  }

  start({ onMessage, onUnordered, onDrain, onEnded }: PathListener): void {
    const noise = this.#noise;
    let cause: Error | undefined;
    let told = false;
    const end = () => {
      if (told) return;
      told = true;
      this.#isOver = true;
      noise.destroy();
      onEnded(cause);
    };
    noise.on('data', onMessage);
    noise.on('message', onUnordered);
    noise.on('drain', onDrain);
    noise.on('error', (error) => {
      cause = error;
      end();
    });
    noise.on('end', end);
    noise.on('close', end);
    if (this.#isOver) end();
    else noise.resume();
  }

  #write(message: Uint8Array): boolean {
    this.#options.onWritten?.(message.byteLength);
    return this.#noise.write(message);
  }

  send(tag: number, parts: readonly Uint8Array[]): boolean {
    if (this.#isOver) return false;
    const bytes = parts.reduce((sum, part) => sum + part.byteLength, 1);
    const message = this.#noise.alloc(bytes);
    message[0] = tag;
    let at = 1;
    for (const part of parts) {
      message.set(part, at);
      at += part.byteLength;
    }
    return this.#write(message);
  }

  sendMessage(message: Uint8Array): boolean {
    return this.#isOver ? false : this.#write(message);
  }

  sendUnordered(bytes: Uint8Array): boolean {
    if (!this.#options.hasPackets || this.#isOver) return false;
    this.#noise.trySend(bytes);
    return true;
  }

  end(): void {
    if (this.#isOver) return;
    this.#noise.end();
    const stopTimer = after(MAX_ENDING_MS, () => this.#noise.destroy());
    this.#noise.on('close', stopTimer);
  }

  destroy(): void {
    this.#isOver = true;
    this.#noise.destroy();
  }
}
