/** What tests make IPv4 packets of. Checksums are left out: nothing of ours looks at them. */
export interface PacketWish {
  readonly source: string;
  readonly destination: string;
  readonly totalBytes?: number;
  /** Default UDP. */
  readonly protocol?: number;
  /** Of TCP. */
  readonly flags?: number;
  /** The last byte, to tell packets from each other. */
  readonly mark?: number;
}

const HEADER_BYTES = 20;

export function packetOf({ source, destination, totalBytes = 60, protocol = 17, flags, mark = 0 }: PacketWish): Buffer {
  const packet = Buffer.alloc(totalBytes);
  packet[0] = 0x45;
  packet.writeUInt16BE(totalBytes, 2);
  packet[8] = 64;
  packet[9] = protocol;
  packet.set(Uint8Array.from(source.split('.'), Number), 12);
  packet.set(Uint8Array.from(destination.split('.'), Number), 16);
  if (flags !== undefined) {
    packet[HEADER_BYTES + 12] = 0x50;
    packet[HEADER_BYTES + 13] = flags;
  }
  packet[totalBytes - 1] = mark;
  return packet;
}
