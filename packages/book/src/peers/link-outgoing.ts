import type { WebSocket } from 'ws';
import type { ChannelEnd } from './channel.ts';
import type { RelayBacklog } from './relay-backlog.ts';

/** Bytes that are given to the socket at once. The rest waits by channel, where it can be shared out, overtaken and dropped. */
const SOCKET_BYTES = 256 * 1024;
/** A channel may send so much before it is the next one's turn. */
const TURN_BYTES = 64 * 1024;
const BINARY = { binary: true } as const;

/** A WebSocket, and what is called before each message that it sends. */
export interface GatheringSocket {
  readonly socket: WebSocket;
  readonly gather: () => void;
}

export interface OutgoingEvents {
  /** The link has taken something. */
  readonly onTaken: () => void;
  /** The last frame that waited for this end is out. */
  readonly onDrained: (end: ChannelEnd) => void;
}

/** What goes out over one link: at once as long as it takes everything, else its channels take turns. */
export class LinkOutgoing {
  readonly #socket: WebSocket;
  readonly #gather: () => void;
  readonly #backlog: RelayBacklog;
  readonly #events: OutgoingEvents;
  /** Ends with frames that wait, in the order of their turns. */
  #waiting: ChannelEnd[] = [];
  /** One for all frames, as every one that is out makes room for others. */
  readonly #taken = (): void => {
    this.#events.onTaken();
    this.#takeTurns();
  };

  constructor({ socket, gather }: GatheringSocket, backlog: RelayBacklog, events: OutgoingEvents) {
    this.#socket = socket;
    this.#gather = gather;
    this.#backlog = backlog;
    this.#events = events;
  }

  /**
   * Sends ahead of every frame that waits.
   * @param mayWait for what else leaves in this turn
   */
  sendText(text: string, mayWait: boolean): void {
    if (mayWait) this.#gather();
    this.#socket.send(text, this.#taken);
  }

  /** @returns whether the frame has to wait */
  sendFrame(end: ChannelEnd, frame: Buffer): boolean {
    if (this.#waiting.length === 0 && this.#hasRoom()) {
      this.#gather();
      this.#socket.send(frame, BINARY, this.#taken);
      return false;
    }
    if (end.queuedFrames === 0) this.#waiting.push(end);
    end.push(frame);
    this.#backlog.count(end.link, 1, frame.byteLength);
    return true;
  }

  /** Drops what waits for this end. */
  discard(end: ChannelEnd): void {
    if (end.queuedFrames === 0) return;
    this.#backlog.count(end.link, -end.queuedFrames, -end.queuedBytes);
    end.clear();
    this.#waiting = this.#waiting.filter((one) => one !== end);
  }

  #hasRoom(): boolean {
    return this.#socket.bufferedAmount < SOCKET_BYTES;
  }

  #takeTurns(): void {
    while (this.#waiting.length > 0 && this.#hasRoom() && this.#socket.readyState === this.#socket.OPEN) {
      const end = this.#waiting.shift();
      if (end === undefined) return;
      this.#takeTurn(end);
      if (end.queuedFrames > 0) this.#waiting.push(end);
      else this.#events.onDrained(end);
    }
  }

  #takeTurn(end: ChannelEnd): void {
    this.#gather();
    let sentBytes = 0;
    let frames = 0;
    while (sentBytes < TURN_BYTES) {
      const frame = end.shift();
      if (frame === undefined) break;
      sentBytes += frame.byteLength;
      frames += 1;
      this.#socket.send(frame, BINARY, this.#taken);
    }
    this.#backlog.count(end.link, -frames, -sentBytes);
  }
}
