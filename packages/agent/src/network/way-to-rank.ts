import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock, Logger } from '@latent/kit';
import { type EncryptedStream, MAX_DATAGRAM_BYTES } from '@latent/transport';
import { mayBeLost, readHeader } from './packet.ts';

/** Waits for the stream; what comes beyond it is lost, as in a router. Some 16 of the largest packets. */
const MAX_QUEUED_BYTES = 1 << 20;
/** As much as a stream sends in one turn. */
const MAX_BATCH_BYTES = 65_536;
/** Then others have their turn: a rank that sends nothing but the smallest packets must not keep us to itself. */
const PACKETS_AT_ONCE = 1_024;
/** A stream of the lower rank is not replaced by the higher one's so soon: both were opening. */
const YOUNG_MS = 5_000;
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 10_000;
/** The higher rank leaves it to the lower one, unless that does not get through. */
const HIGHER_PAUSE_MS = 5_000;

export interface WayToRankOptions {
  readonly ownRank: number;
  readonly rank: number;
  /** Address of this member, and of the other one. */
  readonly own: number;
  readonly other: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly openStream: (rank: number) => Promise<EncryptedStream>;
  /** Takes a packet that came, and that may come. False where it was lost. */
  readonly deliver: (packet: Uint8Array) => boolean;
}

interface Carrier {
  readonly stream: EncryptedStream;
  readonly openedBy: number;
  readonly sinceMs: number;
}

/**
 * The way to one other rank: at most one stream that is sent on. TCP goes in order over the stream, so that it loses and doubles nothing; what may
 * be lost goes by datagram where it fits. A stream's messages hold whole packets, one behind the other.
 */
export class WayToRank {
  readonly rank: number;
  sentBytes = 0;
  receivedBytes = 0;
  droppedPackets = 0;
  readonly #options: WayToRankOptions;
  #carrier: Carrier | undefined;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #isSending = false;
  #wake: (() => void) | undefined;

  constructor(options: WayToRankOptions) {
    this.#options = options;
    this.rank = options.rank;
    void this.#keepOpen();
  }

  get stream(): EncryptedStream | undefined {
    return this.#carrier?.stream;
  }

  /** @param packet copied where it has to wait */
  send(packet: Uint8Array): void {
    const stream = this.#carrier?.stream;
    const isSmall = packet.byteLength <= MAX_DATAGRAM_BYTES;
    if (stream !== undefined && isSmall && mayBeLost(packet) && stream.sendDatagram(packet)) {
      this.sentBytes += packet.byteLength;
      return;
    }
    if (stream === undefined || this.#queuedBytes + packet.byteLength > MAX_QUEUED_BYTES) {
      this.droppedPackets += 1;
      return;
    }
    this.#queue.push(new Uint8Array(packet));
    this.#queuedBytes += packet.byteLength;
    if (!this.#isSending) void this.#sendQueue();
  }

  /** A stream that the other rank opened. */
  accept(stream: EncryptedStream): void {
    this.#take(stream, this.rank);
  }

  close(): void {
    this.#carrier?.stream.destroy();
    this.#carrier = undefined;
    this.#clear();
    this.#wake?.();
  }

  /**
   * The newest stream is the one that is sent on, as an older one may be dead without our knowing. Where both ranks open one at the same time, both
   * keep that of the lower rank.
   */
  #take(stream: EncryptedStream, openedBy: number): void {
    const { clock, ownRank, signal } = this.#options;
    const before = this.#carrier;
    const lower = Math.min(ownRank, this.rank);
    const isYoung = before?.openedBy === lower && clock.nowMs() - before.sinceMs < YOUNG_MS;
    if (signal.aborted || (isYoung && openedBy !== lower)) {
      stream.destroy();
      return;
    }
    const carrier = { stream, openedBy, sinceMs: clock.nowMs() };
    this.#carrier = carrier;
    before?.stream.destroy();
    stream.onDatagram((bytes) => this.#receive(bytes));
    void this.#receiveAll(carrier);
    this.#wake?.();
  }

  async #sendQueue(): Promise<void> {
    this.#isSending = true;
    try {
      while (this.#carrier !== undefined && this.#queue.length > 0) {
        const batch = this.#takeBatch();
        this.#queuedBytes -= batch.byteLength;
        await this.#carrier.stream.send(batch);
        this.sentBytes += batch.byteLength;
      }
    } catch {
      // The stream broke, which whoever reads it sees too.
      this.#clear();
    } finally {
      this.#isSending = false;
    }
    if (this.#carrier !== undefined && this.#queue.length > 0) void this.#sendQueue();
  }

  #takeBatch(): Uint8Array {
    let [count, bytes] = [0, 0];
    for (const packet of this.#queue) {
      if (count > 0 && bytes + packet.byteLength > MAX_BATCH_BYTES) break;
      count += 1;
      bytes += packet.byteLength;
    }
    const packets = this.#queue.splice(0, count);
    return packets.length === 1 && packets[0] !== undefined ? packets[0] : Buffer.concat(packets, bytes);
  }

  async #receiveAll(carrier: Carrier): Promise<void> {
    try {
      let left = PACKETS_AT_ONCE;
      for await (const message of carrier.stream.messages()) {
        left -= 1 + this.#receive(message);
        if (left > 0) continue;
        left = PACKETS_AT_ONCE;
        await nextTurn();
      }
    } catch {
      // Broken, or dropped by us: another one is opened.
    }
    carrier.stream.destroy();
    if (this.#carrier !== carrier) return;
    this.#carrier = undefined;
    this.#clear();
    this.#options.logger.debug({ rank: this.rank }, 'lost the way to another rank of a private network');
    this.#wake?.();
  }

  /** Packets from that rank to us alone: a member speaks for nobody else, and to nobody behind us. Gives how many were looked at. */
  #receive(message: Uint8Array): number {
    const { own, other, deliver } = this.#options;
    let [offset, count] = [0, 0];
    while (offset < message.byteLength) {
      count += 1;
      const header = readHeader(message, offset);
      if (header === undefined || header.source !== other || header.destination !== own) {
        this.droppedPackets += 1;
        return count;
      }
      const packet = message.subarray(offset, offset + header.totalBytes);
      offset += header.totalBytes;
      if (deliver(packet)) this.receivedBytes += packet.byteLength;
      else this.droppedPackets += 1;
    }
    return count;
  }

  #clear(): void {
    this.droppedPackets += this.#queue.length;
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  /** Opens a stream whenever there is none. */
  async #keepOpen(): Promise<void> {
    const { clock, logger, openStream, ownRank, rank, signal } = this.#options;
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      if (this.#carrier !== undefined) {
        pauseMs = FIRST_PAUSE_MS;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        // The lower rank opens the next one; the higher one waits a while for it.
        if (this.#carrier === undefined && ownRank > rank) await pause(clock, HIGHER_PAUSE_MS, signal);
        continue;
      }
      try {
        this.#take(await openStream(rank), ownRank);
      } catch (error) {
        logger.debug({ rank, error }, 'another rank of a private network is not reached');
        await pause(clock, pauseMs, signal);
        pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 2);
      }
    }
  }
}

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  await clock.sleep(ms, { signal }).catch(() => undefined);
}
