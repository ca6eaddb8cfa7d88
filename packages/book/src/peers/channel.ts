import type { Link } from './link.ts';

/** Why a channel is gone, as a peer is told. */
export interface ClosedWord {
  readonly code: string;
  readonly message: string;
}

/** Places of frames that were taken are cut off when there are so many. */
const COMPACT_AT = 1_024;

/** One side of a channel: the number by which its link knows it, and the frames that wait for that link. */
export class ChannelEnd {
  readonly channel: Channel;
  readonly link: Link;
  readonly number: number;
  /** Of the frames that wait, without what else they cost. */
  queuedBytes = 0;
  /** Said once the last frame is out: the other side is gone already. */
  lastWord: ClosedWord | undefined;
  #frames: (Buffer | undefined)[] = [];
  #first = 0;

  constructor(channel: Channel, link: Link, number: number) {
    this.channel = channel;
    this.link = link;
    this.number = number;
  }

  get other(): ChannelEnd {
    return this.channel.opener === this ? this.channel.target : this.channel.opener;
  }

  get queuedFrames(): number {
    return this.#frames.length - this.#first;
  }

  push(frame: Buffer): void {
    this.#frames.push(frame);
    this.queuedBytes += frame.byteLength;
  }

  shift(): Buffer | undefined {
    const frame = this.#frames[this.#first];
    if (frame === undefined) return undefined;
    this.#frames[this.#first] = undefined;
    this.#first += 1;
    this.queuedBytes -= frame.byteLength;
    if (this.#first === this.#frames.length || this.#first === COMPACT_AT) {
      this.#frames = this.#frames.slice(this.#first);
      this.#first = 0;
    }
    return frame;
  }

  clear(): void {
    this.#frames = [];
    this.#first = 0;
    this.queuedBytes = 0;
  }
}

interface Side {
  readonly link: Link;
  readonly number: number;
}

/** What two links have with each other: introduced by the book, and relayed as long as it lasts. */
export class Channel {
  /** The side that asked to be introduced. What is relayed, either way, is counted to it. */
  readonly opener: ChannelEnd;
  readonly target: ChannelEnd;
  readonly openedAtMs: number;
  /** False once one side, or the book, has ended it. */
  isOpen = true;

  constructor(opener: Side, target: Side, openedAtMs: number) {
    this.opener = new ChannelEnd(this, opener.link, opener.number);
    this.target = new ChannelEnd(this, target.link, target.number);
    this.openedAtMs = openedAtMs;
  }
}
