import { Channel, type ChannelEnd, type ClosedWord } from './channel.ts';
import type { Link } from './link.ts';

/** The channels that are open, and the ways in which they end. */
export class OpenChannels {
  #count = 0;
  /** Those that nobody has answered yet, oldest first. */
  readonly #unanswered = new Set<Channel>();

  get count(): number {
    return this.#count;
  }

  /** @param number by which the opener knows it */
  open(opener: Link, number: number, target: Link, nowMs: number): Channel {
    const channel = new Channel({ link: opener, number }, { link: target, number: target.takeNumber() }, nowMs);
    for (const end of [channel.opener, channel.target]) end.link.ends.set(end.number, end);
    this.#count += 1;
    this.#unanswered.add(channel);
    opener.asked += 1;
    target.wanted += 1;
    return channel;
  }

  /** The other side has answered, or sent something. */
  answered(channel: Channel): void {
    if (!this.#unanswered.delete(channel)) return;
    channel.opener.link.asked -= 1;
    channel.target.link.wanted -= 1;
  }

  /** Channels that were opened before, and nobody has answered. */
  *unansweredSince(timeMs: number): Generator<Channel> {
    for (const channel of this.#unanswered) {
      if (channel.openedAtMs > timeMs) return;
      yield channel;
    }
  }

  /** One side ends it. The other one gets what was sent to it before, and then the word. */
  end(side: ChannelEnd, word: ClosedWord): void {
    this.#close(side.channel);
    this.#remove(side);
    const { other } = side;
    if (!isThere(other)) return;
    if (other.queuedFrames > 0) other.lastWord = word;
    else this.#tell(other, word);
  }

  /** What waited for this side is out: if the other one is gone, this one may know now. */
  drained(side: ChannelEnd): void {
    if (side.lastWord !== undefined) this.#tell(side, side.lastWord);
  }

  /** The book ends it, for both sides, and at once. */
  cut(channel: Channel, word: ClosedWord): void {
    this.#close(channel);
    for (const side of [channel.opener, channel.target]) {
      if (isThere(side)) this.#tell(side, word);
    }
  }

  #close(channel: Channel): void {
    if (!channel.isOpen) return;
    channel.isOpen = false;
    this.#count -= 1;
    this.answered(channel);
  }

  #tell(side: ChannelEnd, { code, message }: ClosedWord): void {
    this.#remove(side);
    side.link.tell({ kind: 'closed', channel: side.number, code, message });
  }

  #remove(side: ChannelEnd): void {
    side.link.outgoing.discard(side);
    if (isThere(side)) side.link.ends.delete(side.number);
  }
}

function isThere(side: ChannelEnd): boolean {
  return side.link.ends.get(side.number) === side;
}
