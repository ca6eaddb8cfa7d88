import type { Clock } from '@latent/kit';
import type { PeerKey } from '@latent/protocol';
import type { Channel, ChannelEnd } from './channel.ts';
import { closedWords } from './closed-words.ts';
import type { OpenChannels } from './open-channels.ts';

/** How often what waits for the clock of its lease is looked at. */
const RELEASE_MS = 100;
/** How long frames may wait for a voucher, or for the clock to make one count. */
export const HOLD_MS = 10_000;

export interface HeldFramesParts {
  readonly channels: OpenChannels;
  /** Bytes that may wait: of one channel, of all that one peer has opened, and over all. */
  readonly perChannel: number;
  readonly perPeer: number;
  readonly inAll: number;
  /** Whether a frame of this channel may go now. Counts it if so. */
  readonly admit: (channel: Channel, bytes: number) => 'relay' | 'wait' | 'over';
  readonly forward: (from: ChannelEnd, frame: Buffer) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

interface Held {
  readonly frames: { readonly from: ChannelEnd; readonly frame: Buffer }[];
  bytes: number;
  /** Since when nothing of it could go. */
  sinceMs: number;
}

/** Frames of channels that a lease pays for, and that its vouchers do not cover yet. Each channel's in order. */
export class HeldFrames {
  readonly #parts: HeldFramesParts;
  readonly #held = new Map<Channel, Held>();
  readonly #byPeer = new Map<PeerKey, number>();
  #bytes = 0;
  #isReleasing = false;

  constructor(parts: HeldFramesParts) {
    this.#parts = parts;
  }

  holds(channel: Channel): boolean {
    return this.#held.has(channel);
  }

  hold(from: ChannelEnd, frame: Buffer): void {
    const { channels, clock } = this.#parts;
    const { channel } = from;
    const held = this.#held.get(channel) ?? { frames: [], bytes: 0, sinceMs: clock.nowMs() };
    this.#held.set(channel, held);
    held.frames.push({ from, frame });
    this.#add(channel, frame.byteLength);
    const overflowing = this.#overflowing(channel);
    if (overflowing !== undefined) {
      this.#drop(overflowing);
      channels.cut(overflowing, closedWords.overflow);
    }
    void this.#keepReleasing();
  }

  /** Lets go what may go now, and ends channels that have waited too long. */
  release(): void {
    const nowMs = this.#parts.clock.nowMs();
    for (const [channel, held] of [...this.#held]) this.#releaseOne(channel, held, nowMs);
  }

  async #keepReleasing(): Promise<void> {
    const { clock, signal } = this.#parts;
    if (this.#isReleasing) return;
    this.#isReleasing = true;
    while (this.#held.size > 0 && !signal.aborted) {
      await clock.sleep(RELEASE_MS, { signal }).catch(() => undefined);
      this.release();
    }
    this.#isReleasing = false;
  }

  #releaseOne(channel: Channel, held: Held, nowMs: number): void {
    const { admit, forward, channels } = this.#parts;
    for (let gone = 0; ; gone += 1) {
      const next = held.frames[gone];
      const verdict = next === undefined || !channel.isOpen ? 'none' : admit(channel, next.frame.byteLength);
      if (next !== undefined && verdict === 'relay') {
        this.#add(channel, -next.frame.byteLength);
        held.sinceMs = nowMs;
        forward(next.from, next.frame);
        continue;
      }
      held.frames.splice(0, gone);
      if (verdict === 'wait' && nowMs - held.sinceMs < HOLD_MS) return;
      this.#drop(channel);
      if (verdict !== 'none') channels.cut(channel, closedWords.usedUp);
      return;
    }
  }

  #add(channel: Channel, bytes: number): void {
    const held = this.#held.get(channel);
    if (held !== undefined) held.bytes += bytes;
    const { key } = channel.opener.link;
    const left = (this.#byPeer.get(key) ?? 0) + bytes;
    if (left > 0) this.#byPeer.set(key, left);
    else this.#byPeer.delete(key);
    this.#bytes += bytes;
  }

  /** The channel that has to go: where all together hold too much, one of the peer that holds most, or somebody could push out others. */
  #overflowing(channel: Channel): Channel | undefined {
    const { perChannel, perPeer, inAll } = this.#parts;
    const isOwn = (this.#held.get(channel)?.bytes ?? 0) > perChannel;
    if (isOwn || (this.#byPeer.get(channel.opener.link.key) ?? 0) > perPeer) return channel;
    if (this.#bytes <= inAll) return undefined;
    const [heaviest] = [...this.#byPeer].reduce((most, one) => (one[1] > most[1] ? one : most));
    return [...this.#held.keys()].find(({ opener }) => opener.link.key === heaviest);
  }

  #drop(channel: Channel): void {
    this.#add(channel, -(this.#held.get(channel)?.bytes ?? 0));
    this.#held.delete(channel);
  }
}
