import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { FrameLimit, type FrameLimits } from '../frame-limit.ts';

/** Kept small: the layers above and the socket below hold their own buffers. */
const HIGH_WATER_MARK_BYTES = 16 * 1024;

/** Passes bytes between a socket and the secret stream on it, as long as what comes in keeps its limits. */
export class FrameGuard extends Duplex {
  /** Bytes from the peer so far. Shows that it lives. */
  receivedBytes = 0;
  readonly #socket: Socket;
  readonly #limit: FrameLimit;

  constructor(socket: Socket, limits: FrameLimits) {
    super({ highWaterMark: HIGH_WATER_MARK_BYTES });
    this.#socket = socket;
    this.#limit = new FrameLimit(limits);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  #receive(chunk: Buffer): void {
    if (this.destroyed) return;
    this.receivedBytes += chunk.byteLength;
    const refusal = this.#limit.check(chunk);
    if (refusal !== undefined) this.destroy(refusal);
    else if (!this.push(chunk)) this.#socket.pause();
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
