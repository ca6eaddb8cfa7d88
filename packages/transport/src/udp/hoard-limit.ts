import { LatentError } from '@latent/protocol';
import type { UdxStream } from 'udx-native';
import { every } from '../timers.ts';

/** Of each packet of a stream, before what it carries. */
const HEADER_BYTES = 20;
/** What a packet costs that is kept, beside what it carries. */
const KEPT_PACKET_BYTES = 128;
/** A written byte is sent in packets of some 1200, perhaps twice; each brings back one acknowledgement. */
const BYTES_PER_ACK = 512;
const ACKS_PER_WRITE = 2;
/** Part of what a stream carried, either way, that a bad line has come twice, or be named as a gap. */
const CREDIT = 0.5;
const CHECK_MS = 50;

export interface HoardLimits {
  /** For one stream, beside {@link CREDIT} of what it honestly carried. */
  readonly maxStreamBytes: number;
  /** For all together. */
  readonly maxBytes: number;
}

/** An honest peer sends at most 4 MiB beyond a gap: that is UDX's window. */
const defaultLimits: HoardLimits = { maxStreamBytes: 32 * 1024 * 1024, maxBytes: 512 * 1024 * 1024 };

/** Counts of one stream. */
class Watched {
  readonly stream: UdxStream;
  #handedOver = 0;
  #packetsHandedOver = 0;
  #written = 0;
  #acksExpected = 0;

  constructor(stream: UdxStream) {
    this.stream = stream;
    const handOver = (bytes: Uint8Array) => {
      this.#handedOver += bytes.byteLength;
      this.#packetsHandedOver += 1;
    };
    stream.on('data', handOver);
    stream.on('message', handOver);
  }

  written(bytes: number): void {
    this.#written += bytes;
    this.#acksExpected += ACKS_PER_WRITE + bytes / BYTES_PER_ACK;
  }

  /** At least what is kept of this stream: what came in and was not handed over. Repetitions, and the gaps that the peer names, count too. */
  get keptBytes(): number {
    const { bytesReceived, packetsReceived } = this.stream;
    const carried = bytesReceived - packetsReceived * HEADER_BYTES - this.#handedOver;
    const packets = packetsReceived - this.#packetsHandedOver - this.#acksExpected;
    return Math.max(0, carried) + Math.max(0, packets) * KEPT_PACKET_BYTES;
  }

  get creditBytes(): number {
    return (this.#handedOver + this.#written) * CREDIT;
  }
}

/**
 * Drops streams that make UDX keep too much: it keeps every packet that arrives beyond a gap until the gap is filled, as many as are
 * sent. Without this anybody could fill our memory, before any handshake. An honest stream may be dropped too, when many gigabytes went over
 * bad lines; its connection goes on over another one.
 */
export class HoardLimit {
  readonly #limits: HoardLimits;
  readonly #watched = new Set<Watched>();
  readonly #stopChecks: () => void;

  constructor(limits: HoardLimits = defaultLimits) {
    this.#limits = limits;
    this.#stopChecks = every(CHECK_MS, () => this.#check());
  }

  /**
   * Call it once the stream's data are listened to, before any arrives: this listens too.
   * @returns to be told how many bytes are written at a time
   */
  watch(stream: UdxStream): (writtenBytes: number) => void {
    const watched = new Watched(stream);
    this.#watched.add(watched);
    stream.on('close', () => this.#watched.delete(watched));
    return (bytes) => watched.written(bytes);
  }

  stop(): void {
    this.#stopChecks();
  }

  #check(): void {
    const { maxStreamBytes, maxBytes } = this.#limits;
    let together = 0;
    for (const watched of [...this.#watched]) {
      const { keptBytes, creditBytes } = watched;
      if (keptBytes > maxStreamBytes + creditBytes) this.#drop(watched, keptBytes);
      else together += keptBytes;
    }
    if (together <= maxBytes) return;
    const all = [...this.#watched].map((watched) => ({ watched, keptBytes: watched.keptBytes }));
    for (const { watched, keptBytes } of all.sort((one, other) => other.keptBytes - one.keptBytes)) {
      if (together <= maxBytes) return;
      together -= keptBytes;
      this.#drop(watched, keptBytes);
    }
  }

  #drop(watched: Watched, keptBytes: number): void {
    this.#watched.delete(watched);
    const text = `${keptBytes} bytes of the peer wait for what was to come before them.`;
    watched.stream.destroy(new LatentError('MESSAGE_TOO_LARGE', text));
  }
}
