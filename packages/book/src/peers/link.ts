import type { BookLinkMessage, PeerKey } from '@latent/protocol';
import type { WebSocket } from 'ws';
import type { Caller } from '../sockets/caller.ts';
import { toJson } from '../to-json.ts';
import type { ChannelEnd } from './channel.ts';
import { ChannelNumbers } from './channel-numbers.ts';
import { type GatheringSocket, LinkOutgoing } from './link-outgoing.ts';
import type { RelayAllowance } from './relay-allowance.ts';
import type { RelayBacklog } from './relay-backlog.ts';
import type { RelayRate } from './relay-rates.ts';

/** Bytes that may wait in the socket of a peer that does not read: relayed frames up to their limit, and what is told. */
const MAX_UNSENT_BYTES = 1024 * 1024;
/** Beyond this nothing is told that somebody else could send without end. */
const CLOGGED_BYTES = MAX_UNSENT_BYTES / 2 + 64 * 1024;

/** A peer that pays is told when less is left: it takes it some seconds to open a lease. */
const LOW_ALLOWANCE_BYTES = 128 * 1024 * 1024;

export interface LinkParts {
  readonly key: PeerKey;
  readonly caller: Caller;
  readonly accepts: boolean;
  /** It wants to hear what is left that is relayed without payment. */
  readonly pays: boolean;
  readonly socket: GatheringSocket;
  readonly allowance: RelayAllowance;
  readonly rate: RelayRate;
  readonly backlog: RelayBacklog;
  /** The last frame that waited for this end of the link is out. */
  readonly onDrained: (end: ChannelEnd) => void;
}

/** A peer's WebSocket to this book, from its hello to its end. */
export class Link {
  readonly key: PeerKey;
  readonly caller: Caller;
  readonly accepts: boolean;
  readonly allowance: RelayAllowance;
  readonly rate: RelayRate;
  readonly outgoing: LinkOutgoing;
  /** Its channels, by the number that it knows them by. */
  readonly ends = new Map<number, ChannelEnd>();
  /** Channels that it asked for, and that were asked of it, which were not answered yet. */
  asked = 0;
  wanted = 0;
  /** Whether it gave a sign of life since it was pinged last. */
  isAlive = true;
  /** Bytes of frames that it has sent since it was held back last. */
  turnBytes = 0;
  /** Whether nothing is read from it, as others have their turn, or it has sent more than its rate. */
  isHeldBack = false;
  readonly #socket: WebSocket;
  readonly #numbers = new ChannelNumbers();

  readonly #pays: boolean;
  #isAllowanceTold = false;

  constructor({ key, caller, accepts, pays, socket, allowance, rate, backlog, onDrained }: LinkParts) {
    this.key = key;
    this.caller = caller;
    this.accepts = accepts;
    this.allowance = allowance;
    this.rate = rate;
    this.#socket = socket.socket;
    this.#pays = pays;
    const onTaken = () => {
      this.isAlive = true;
    };
    this.outgoing = new LinkOutgoing(socket, backlog, { onTaken, onDrained });
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  /** Whether it reads so slowly that what others want to tell it is refused. */
  get isClogged(): boolean {
    return this.#socket.bufferedAmount > CLOGGED_BYTES;
  }

  tell(message: BookLinkMessage): void {
    if (this.#socket.bufferedAmount > MAX_UNSENT_BYTES) this.#socket.terminate();
    // A refusal may be the last word before the link is dropped, with all that waits then.
    else if (this.isOpen) this.outgoing.sendText(toJson(message), message.kind !== 'refused');
  }

  /** Tells a peer that pays, once, that little is left of what it has without. */
  noteAllowance(): void {
    if (!this.#pays || this.#isAllowanceTold) return;
    const freeRelayBytes = this.allowance.left();
    if (freeRelayBytes >= LOW_ALLOWANCE_BYTES) return;
    this.#isAllowanceTold = true;
    this.tell({ kind: 'allowance', freeRelayBytes });
  }

  /** Stops and starts to read from it. */
  holdBack(isHeldBack: boolean): void {
    if (this.isHeldBack === isHeldBack) return;
    this.isHeldBack = isHeldBack;
    if (isHeldBack) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Pings it, or drops it if it gave no sign of life since the last time. */
  ping(): void {
    if (this.isAlive) this.#socket.ping();
    else this.drop();
    this.isAlive = false;
  }

  drop(): void {
    this.#socket.terminate();
  }

  /** A number for a channel that another peer opens to this one. */
  takeNumber(): number {
    return this.#numbers.take((number) => this.ends.has(number));
  }
}
