/**
 * Address discovery: a peer asks a book by UDP at which address it is seen. The work of STUN (RFC 8489) with two differences:
 * a question is longer than any answer, so that nobody can have a book send more than it received; and nothing is optional.
 *
 * Question, 64 bytes: magic, kind, 16 bytes of nonce, zeros. Answer, at most 40: magic, kind, the nonce, family, and port and
 * address combined with the nonce, as some NATs rewrite addresses that they find in packets (RFC 8489, §14.2).
 */
const MAGIC = [0x4c, 0x54, 0x41, 0x31]; // "LTA1"
export const DISCOVERY_QUESTION_BYTES = 64;
export const DISCOVERY_NONCE_BYTES = 16;

const NONCE_AT = 5;
const FAMILY_AT = NONCE_AT + DISCOVERY_NONCE_BYTES;
const PORT_AT = FAMILY_AT + 1;
const ADDRESS_AT = PORT_AT + 2;
const FAMILY_IPV4 = 4;
const FAMILY_IPV6 = 6;
const KIND_ANSWER = 0x81;
/** `same`: answer from the port that was asked. `other`: from the other one, which shows whether a NAT lets strangers in. */
const questionKinds = { same: 1, other: 2 } as const;
export type DiscoveryQuestionKind = keyof typeof questionKinds;

export interface DiscoveryQuestion {
  readonly kind: DiscoveryQuestionKind;
  /** 16 random bytes; the answer carries them back. */
  readonly nonce: Uint8Array;
}

export interface DiscoveryAnswer {
  readonly nonce: Uint8Array;
  /** 4 or 16 bytes: where the question came from. */
  readonly address: Uint8Array;
  readonly port: number;
}

export function encodeDiscoveryQuestion({ kind, nonce }: DiscoveryQuestion): Uint8Array {
  const packet = new Uint8Array(DISCOVERY_QUESTION_BYTES);
  packet.set(MAGIC);
  packet[4] = questionKinds[kind];
  packet.set(nonce.subarray(0, DISCOVERY_NONCE_BYTES), NONCE_AT);
  return packet;
}

/** Undefined for anything else. */
export function decodeDiscoveryQuestion(packet: Uint8Array): DiscoveryQuestion | undefined {
  if (packet.byteLength !== DISCOVERY_QUESTION_BYTES || !hasMagic(packet)) return undefined;
  // Copies: `slice` of a Buffer is none.
  const nonce = Uint8Array.from(packet.subarray(NONCE_AT, FAMILY_AT));
  if (packet[4] === questionKinds.same) return { kind: 'same', nonce };
  if (packet[4] === questionKinds.other) return { kind: 'other', nonce };
  return undefined;
}

/** @param answer.address 4 or 16 bytes */
export function encodeDiscoveryAnswer({ nonce, address, port }: DiscoveryAnswer): Uint8Array {
  const packet = new Uint8Array(ADDRESS_AT + address.byteLength);
  packet.set(MAGIC);
  packet[4] = KIND_ANSWER;
  packet.set(nonce.subarray(0, DISCOVERY_NONCE_BYTES), NONCE_AT);
  packet[FAMILY_AT] = address.byteLength === 4 ? FAMILY_IPV4 : FAMILY_IPV6;
  packet[PORT_AT] = port >> 8;
  packet[PORT_AT + 1] = port & 0xff;
  packet.set(address, ADDRESS_AT);
  mask(packet);
  return packet;
}

/** Undefined for anything else. */
export function decodeDiscoveryAnswer(packet: Uint8Array): DiscoveryAnswer | undefined {
  if (packet.byteLength < ADDRESS_AT || !hasMagic(packet) || packet[4] !== KIND_ANSWER) return undefined;
  const family = packet[FAMILY_AT];
  const addressBytes = family === FAMILY_IPV4 ? 4 : family === FAMILY_IPV6 ? 16 : undefined;
  if (addressBytes === undefined || packet.byteLength !== ADDRESS_AT + addressBytes) return undefined;
  const plain = Uint8Array.from(packet);
  mask(plain);
  const port = ((plain[PORT_AT] ?? 0) << 8) | (plain[PORT_AT + 1] ?? 0);
  if (port === 0) return undefined;
  return { nonce: plain.slice(NONCE_AT, FAMILY_AT), address: plain.slice(ADDRESS_AT), port };
}

function hasMagic(packet: Uint8Array): boolean {
  return MAGIC.every((byte, at) => packet[at] === byte);
}

/** Its own inverse. */
function mask(packet: Uint8Array): void {
  for (let at = PORT_AT; at < packet.byteLength; at += 1) {
    packet[at] = (packet[at] ?? 0) ^ (packet[NONCE_AT + ((at - PORT_AT) % DISCOVERY_NONCE_BYTES)] ?? 0);
  }
}
