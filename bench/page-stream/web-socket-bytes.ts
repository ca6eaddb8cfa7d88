import { Duplex } from 'streamx';

/** Bytes that wait in the browser before a writer is held up. */
const MAX_WAITING_BYTES = 1024 * 1024;

/**
 * A browser's WebSocket as a stream of bytes; what was written at once is one message of it, and the other way round. Without
 * back-pressure on what it receives: a browser offers none.
 */
export class WebSocketBytes extends Duplex {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    super({ highWaterMark: MAX_WAITING_BYTES });
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({ data }) => {
      if (data instanceof ArrayBuffer) this.push(new Uint8Array(data));
    });
    socket.addEventListener('close', () => this.push(null));
  }

  protected override _write(data: Uint8Array, done: () => void): void {
    this.#socket.send(Uint8Array.from(data));
    this.#whenRoom(done);
  }

  /** A browser does not tell when a WebSocket has room again: it has to be asked. */
  #whenRoom(done: () => void): void {
    if (this.#socket.bufferedAmount < MAX_WAITING_BYTES) done();
    else setTimeout(() => this.#whenRoom(done), 1);
  }

  protected override _predestroy(): void {
    this.#socket.close();
  }
}
