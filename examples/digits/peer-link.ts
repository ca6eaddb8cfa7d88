import type { Socket } from 'node:net';

/** A peer is gone, or is not what it should be. */
export class PeerError extends Error {
  override readonly name = 'PeerError';
}

export const frameKinds = { hello: 1, welcome: 2, data: 3, bye: 4 } as const;
export type FrameKind = (typeof frameKinds)[keyof typeof frameKinds];

interface Expected {
  readonly kind: FrameKind;
  readonly sequence: number;
  /** Exact, or the most for `hello`, whose length is not known before. */
  readonly bytes: number;
  readonly resolve: (payload: Buffer) => void;
  readonly reject: (error: Error) => void;
}

const headerBytes = 12;

/**
 * Frames over one TCP connection: kind, sequence number and length, 4 bytes each, then the payload. Only the frame that
 * is expected is taken; anything else, and any end but one after `bye`, fails the link.
 */
export class PeerLink {
  readonly #socket: Socket;
  /** As shown in errors: `rank 2 (10.0.0.3)`. */
  readonly #peer: string;
  readonly #chunks: Buffer[] = [];
  #buffered = 0;
  #expected: Expected | undefined;
  #failure: PeerError | undefined;
  #onFailure: (error: PeerError) => void = () => undefined;
  #saidBye = false;

  constructor(socket: Socket, peer: string) {
    this.#socket = socket;
    this.#peer = peer;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#fail(`the connection broke (${error.message})`));
    socket.on('close', () => this.#fail('it closed the connection'));
    socket.on('end', () => this.#fail('it closed the connection'));
  }

  /** Calls back once, when the link fails or if it has. */
  watch(onFailure: (error: PeerError) => void): void {
    this.#onFailure = onFailure;
    if (this.#failure !== undefined) onFailure(this.#failure);
  }

  send(kind: FrameKind, sequence: number, payload: Uint8Array): void {
    const header = Buffer.alloc(headerBytes);
    header.writeUInt32LE(kind, 0);
    header.writeUInt32LE(sequence, 4);
    header.writeUInt32LE(payload.byteLength, 8);
    this.#socket.write(header);
    // A copy: the caller goes on to change its vector while the socket still holds on to this.
    if (payload.byteLength > 0) this.#socket.write(Buffer.from(payload));
  }

  /** The payload of the next frame, which has to be this one. One call at a time. */
  receive(kind: FrameKind, sequence: number, bytes: number, stallMs: number): Promise<Buffer> {
    return new Promise<Buffer>((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(`it sent nothing for ${stallMs / 1000} s`), stallMs);
      const settle =
        <T>(done: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          this.#expected = undefined;
          done(value);
        };
      this.#expected = { kind, sequence, bytes, resolve: settle(resolve), reject: settle(reject) };
      this.#deliver();
      if (this.#failure !== undefined) this.#expected?.reject(this.#failure);
    });
  }

  /** Says that no more follows, so that the end is no failure on either side. */
  close(): void {
    this.#saidBye = true;
    this.send(frameKinds.bye, 0, new Uint8Array());
    this.#socket.end();
  }

  destroy(error: PeerError): void {
    this.#failure ??= error;
    this.#expected?.reject(this.#failure);
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    this.#deliver();
  }

  #deliver(): void {
    if (this.#buffered < headerBytes) return;
    const all = this.#chunks.length === 1 ? (this.#chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#chunks);
    this.#chunks.splice(0, this.#chunks.length, all);
    const kind = all.readUInt32LE(0);
    const sequence = all.readUInt32LE(4);
    const bytes = all.readUInt32LE(8);
    if (kind === frameKinds.bye && bytes === 0) {
      this.#saidBye = true;
      this.#fail('it ended early');
      return;
    }
    const expected = this.#expected;
    if (expected === undefined) return;
    const fits = kind === frameKinds.hello ? bytes <= expected.bytes : bytes === expected.bytes;
    if (kind !== expected.kind || sequence !== expected.sequence || !fits) {
      this.#fail(
        `it sent frame ${kind}/${sequence} of ${bytes} bytes instead of ${expected.kind}/${expected.sequence} of ${expected.bytes}`,
      );
      return;
    }
    if (all.length < headerBytes + bytes) return;
    const rest = all.subarray(headerBytes + bytes);
    this.#chunks.splice(0, 1, ...(rest.length > 0 ? [rest] : []));
    this.#buffered = rest.length;
    expected.resolve(all.subarray(headerBytes, headerBytes + bytes));
  }

  #fail(reason: string): void {
    const isDone = this.#saidBye && this.#expected === undefined;
    if (isDone || this.#failure !== undefined) return;
    const error = new PeerError(`lost ${this.#peer}: ${reason}`);
    this.destroy(error);
    this.#onFailure(error);
  }
}
