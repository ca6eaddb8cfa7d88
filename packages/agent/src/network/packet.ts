/** Largest IPv4 packet, in bytes. */
export const MAX_PACKET_BYTES = 65_535;
const MIN_HEADER_BYTES = 20;
const PROTOCOL_UDP = 17;
const PROTOCOL_ICMP = 1;
const PROTOCOL_TCP = 6;
const TCP_ACK = 0x10;
/** SYN, FIN and RST: what begins or ends a connection. */
const TCP_TURNING = 0x07;

/** IPv4 addresses as numbers, as they stand in packets. */
export function toAddressNumber(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

export interface PacketHeader {
  /** Length of the whole packet, header included. */
  readonly totalBytes: number;
  readonly source: number;
  readonly destination: number;
}

/** Reads the header of the IPv4 packet that bytes begin with. Undefined where they do not, or hold less than the packet says. */
export function readHeader(bytes: Uint8Array, offset = 0): PacketHeader | undefined {
  if (bytes.byteLength - offset < MIN_HEADER_BYTES) return undefined;
  const first = bytes[offset] ?? 0;
  const totalBytes = read16(bytes, offset + 2);
  const headerBytes = (first & 0x0f) * 4;
  if (first >> 4 !== 4 || headerBytes < MIN_HEADER_BYTES) return undefined;
  if (totalBytes < headerBytes || totalBytes > bytes.byteLength - offset) return undefined;
  return { totalBytes, source: read32(bytes, offset + 12), destination: read32(bytes, offset + 16) };
}

/**
 * Whether nothing is lost for good when this packet is, and nobody minds when it overtakes others: UDP and ICMP promise no more, and what a TCP
 * acknowledgement says the next one says again.
 */
export function mayBeLost(packet: Uint8Array): boolean {
  const protocol = packet[9];
  if (protocol === PROTOCOL_UDP || protocol === PROTOCOL_ICMP) return true;
  if (protocol !== PROTOCOL_TCP) return false;
  const ipBytes = ((packet[0] ?? 0) & 0x0f) * 4;
  const tcpBytes = ((packet[ipBytes + 12] ?? 0) >> 4) * 4;
  const flags = packet[ipBytes + 13] ?? 0;
  return packet.byteLength === ipBytes + tcpBytes && (flags & TCP_ACK) !== 0 && (flags & TCP_TURNING) === 0;
}

const read16 = (bytes: Uint8Array, at: number) => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
const read32 = (bytes: Uint8Array, at: number) => read16(bytes, at) * 65_536 + read16(bytes, at + 2);
