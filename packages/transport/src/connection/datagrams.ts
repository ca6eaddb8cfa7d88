/** Largest datagram, in bytes: what fits one packet of the smallest paths, with all headers and seals. */
export const MAX_DATAGRAM_BYTES = 1_100;

const STREAM_BYTES = 4;
const COUNTER_BYTES = 6;
const HEADER_BYTES = STREAM_BYTES + COUNTER_BYTES;
/** A datagram older than so many later ones is taken for a repetition. */
const WINDOW = 1024;

export interface Datagram {
  readonly streamId: number;
  readonly bytes: Uint8Array;
}

/**
 * Numbers datagrams, and lets each in once. They are sealed one by one, so that somebody on the way could send one again: a window
 * over the numbers refuses that (RFC 6479 does the same for IPsec).
 */
export class Datagrams {
  #sent = 0;
  #newest = 0;
  readonly #seen = new Uint8Array(WINDOW);

  /** @param bytes at most MAX_DATAGRAM_BYTES */
  encode({ streamId, bytes }: Datagram): Uint8Array {
    const packet = new Uint8Array(HEADER_BYTES + bytes.byteLength);
    const view = new DataView(packet.buffer);
    this.#sent += 1;
    view.setUint32(0, streamId);
    view.setUint16(STREAM_BYTES, Math.floor(this.#sent / 2 ** 32));
    view.setUint32(STREAM_BYTES + 2, this.#sent % 2 ** 32);
    packet.set(bytes, HEADER_BYTES);
    return packet;
  }

  /** Undefined for one that is no datagram, came before, or is too old to tell. */
  decode(packet: Uint8Array): Datagram | undefined {
    if (packet.byteLength < HEADER_BYTES || packet.byteLength > HEADER_BYTES + MAX_DATAGRAM_BYTES) return undefined;
    const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
    const counter = view.getUint16(STREAM_BYTES) * 2 ** 32 + view.getUint32(STREAM_BYTES + 2);
    if (!this.#admit(counter)) return undefined;
    // A copy, and a plain one: the packet is a view of what is used again, and users must not come to rely on Node's Buffer.
    return { streamId: view.getUint32(0), bytes: new Uint8Array(packet.subarray(HEADER_BYTES)) };
  }

  #admit(counter: number): boolean {
    if (counter === 0 || counter + WINDOW <= this.#newest) return false;
    for (let number = this.#newest + 1; number <= Math.min(counter, this.#newest + WINDOW); number += 1) {
      this.#seen[number % WINDOW] = 0;
    }
    // Beyond a whole window every place was cleared above.
    this.#newest = Math.max(this.#newest, counter);
    if (this.#seen[counter % WINDOW] === 1) return false;
    this.#seen[counter % WINDOW] = 1;
    return true;
  }
}
