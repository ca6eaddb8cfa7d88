import { type Address, type Hex, hexToBytes, keccak256 } from 'viem';

const BLOOM_BYTES = 256;
const BITS = 2047;

/**
 * Whether a block of this bloom may hold a log of the address with one of these first topics. A filter of 2,048 bits, three
 * for each address and topic: "no" is certain, "yes" is not. Yellow paper, section 4.4.3.
 */
export function mayHoldLogs(bloom: Hex, address: Address, firstTopics: readonly Hex[]): boolean {
  const bytes = hexToBytes(bloom);
  return holds(bytes, address) && (firstTopics.length === 0 || firstTopics.some((topic) => holds(bytes, topic)));
}

/** The bloom of a block with logs of these addresses and topics. */
export function bloomOf(items: readonly Hex[]): Uint8Array {
  const bytes = new Uint8Array(BLOOM_BYTES);
  for (const bit of items.flatMap(bitsOf)) {
    const index = BLOOM_BYTES - 1 - (bit >> 3);
    bytes[index] = (bytes[index] ?? 0) | (1 << (bit & 7));
  }
  return bytes;
}

function holds(bloom: Uint8Array, item: Hex): boolean {
  return bitsOf(item).every((bit) => ((bloom[BLOOM_BYTES - 1 - (bit >> 3)] ?? 0) & (1 << (bit & 7))) !== 0);
}

function bitsOf(item: Hex): readonly number[] {
  const hash = keccak256(item, 'bytes');
  return [0, 2, 4].map((at) => (((hash[at] ?? 0) << 8) | (hash[at + 1] ?? 0)) & BITS);
}
