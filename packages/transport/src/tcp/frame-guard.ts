import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { LatentError } from '@latent/protocol';

/** Largest frame while the peer is unknown; the real ones are 32 to 96 bytes. */
const MAX_HANDSHAKE_FRAME_BYTES = 256;
const LENGTH_BYTES = 3;
/** Kept small: the layers above and the socket below hold their own buffers. */
const HIGH_WATER_MARK_BYTES = 16 * 1024;

export interface FrameGuardOptions {
  /** Frames that the peer sends before it may send long ones. */
  readonly handshakeFrames: number;
  /** Largest frame after these, in bytes, without its length prefix. */
  readonly maxFrameBytes: number;
}

/**
 * Passes bytes between a socket and the secret stream on it, and reads along the incoming length prefixes. The secret
 * stream allocates what a prefix announces, up to 16 MiB and even before it knows the peer; the guard fails first.
 */
export class FrameGuard extends Duplex {
  /** Bytes from the peer so far. Shows that it lives. */
  receivedBytes = 0;
  readonly #socket: Socket;
  readonly #options: FrameGuardOptions;
  #frames = 0;
  #lengthBytesSeen = 0;
  #length = 0;
  #remainingBytes = 0;

  constructor(socket: Socket, options: FrameGuardOptions) {
    super({ highWaterMark: HIGH_WATER_MARK_BYTES });
    this.#socket = socket;
    this.#options = options;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  #receive(chunk: Buffer): void {
    if (this.destroyed) return;
    this.receivedBytes += chunk.byteLength;
    const refusal = this.#check(chunk);
    if (refusal !== undefined) this.destroy(refusal);
    else if (!this.push(chunk)) this.#socket.pause();
  }

  #check(chunk: Buffer): LatentError | undefined {
    let offset = 0;
    while (offset < chunk.byteLength) {
      if (this.#remainingBytes > 0) {
        const step = Math.min(this.#remainingBytes, chunk.byteLength - offset);
        this.#remainingBytes -= step;
        offset += step;
        continue;
      }
      this.#length += chunk.readUInt8(offset) * 256 ** this.#lengthBytesSeen;
      this.#lengthBytesSeen += 1;
      offset += 1;
      if (this.#lengthBytesSeen < LENGTH_BYTES) continue;
      if (this.#length === 0) return new LatentError('MESSAGE_INVALID', 'The peer sent an empty frame.');
      const { handshakeFrames, maxFrameBytes } = this.#options;
      const limit = this.#frames < handshakeFrames ? MAX_HANDSHAKE_FRAME_BYTES : maxFrameBytes;
      if (this.#length > limit) {
        const message = `The peer announced a frame of ${this.#length} bytes; at most ${limit} are allowed.`;
        return new LatentError('MESSAGE_TOO_LARGE', message);
      }
      this.#remainingBytes = this.#length;
      this.#length = 0;
      this.#lengthBytesSeen = 0;
      this.#frames += 1;
    }
    return undefined;
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.#socket.write(chunk)) done();
    else this.#socket.once('drain', done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.#socket.closed) {
      done(error);
      return;
    }
    this.#socket.once('close', () => done(error));
    this.#socket.destroy();
  }
}
