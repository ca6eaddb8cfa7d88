import type { BookOptions } from '../options.ts';
import type { ChannelEnd } from './channel.ts';
import type { Link } from './link.ts';

/** What a frame that waits costs beside its bytes, whatever its size. Measured: 300 to 500 bytes. */
const FRAME_COST_BYTES = 512;

type Limits = Pick<BookOptions, 'relayQueueBytesPerChannel' | 'relayQueueBytesPerLink' | 'relayQueueBytes'>;

/** What waits in the book's memory for links that take it too slowly, all frames of all channels. */
export class RelayBacklog {
  readonly #limits: Limits;
  /** Links for which something waits, and what it costs, in bytes. */
  readonly #costs = new Map<Link, number>();
  #total = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** In bytes, with what frames cost beside theirs. */
  get total(): number {
    return this.#total;
  }

  /** So many frames with so many bytes wait for a link from now on. Negative: no longer. */
  count(link: Link, frames: number, bytes: number): void {
    const cost = bytes + frames * FRAME_COST_BYTES;
    const left = (this.#costs.get(link) ?? 0) + cost;
    if (left > 0) this.#costs.set(link, left);
    else this.#costs.delete(link);
    this.#total += cost;
  }

  /**
   * The end whose channel has to go, now that a frame was added to `end`; undefined if all is within its limits. It is not
   * always the one that was added to: where a link, or the book, holds too much, the place that holds most of it pays, or
   * somebody with many channels could push out everybody else.
   */
  overflowing(end: ChannelEnd): ChannelEnd | undefined {
    const { relayQueueBytesPerChannel, relayQueueBytesPerLink, relayQueueBytes } = this.#limits;
    if (end.queuedBytes > relayQueueBytesPerChannel) return end;
    if (end.queuedFrames * FRAME_COST_BYTES > relayQueueBytesPerChannel) return end;
    if ((this.#costs.get(end.link) ?? 0) > relayQueueBytesPerLink) return heaviestEnd(end.link);
    if (this.#total <= relayQueueBytes) return undefined;
    const link = heaviest([...this.#costs.keys()], {
      placeOf: ({ caller }) => caller.place,
      weightOf: (one) => this.#costs.get(one) ?? 0,
    });
    return link === undefined ? undefined : heaviestEnd(link);
  }
}

function heaviestEnd(link: Link): ChannelEnd | undefined {
  return heaviest([...link.ends.values()], {
    placeOf: ({ other }) => other.link.caller.place,
    weightOf: ({ queuedBytes, queuedFrames }) => queuedBytes + queuedFrames * FRAME_COST_BYTES,
  });
}

interface Weighing<Item> {
  readonly placeOf: (item: Item) => string;
  readonly weightOf: (item: Item) => number;
}

/** The heaviest item of the place whose items weigh most together. */
function heaviest<Item>(items: readonly Item[], { placeOf, weightOf }: Weighing<Item>): Item | undefined {
  const weights = new Map<string, number>();
  for (const item of items) weights.set(placeOf(item), (weights.get(placeOf(item)) ?? 0) + weightOf(item));
  const [place] = [...weights].reduce((most, one) => (one[1] > most[1] ? one : most), ['', 0]);
  let found: Item | undefined;
  for (const item of items) {
    if (placeOf(item) === place && (found === undefined || weightOf(item) > weightOf(found))) found = item;
  }
  return found;
}
