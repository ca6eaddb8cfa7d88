/**
 * The packets by which two UDP sockets find each other, before there is a stream between them. Each begins with "LTP1" and a kind.
 *
 * Through a book: both sides know a token and send *probes* to each other's addresses; a probe that arrives is answered by an *echo* of the
 * same length. By a hint alone: *knock* (with an empty cookie), *cookie* (which shows that the address is the knocker's own), knock (with the
 * cookie), *opened*. An answer is never longer than what it answers, so that nobody can have us send to others more than they sent.
 */
const MAGIC = [0x4c, 0x54, 0x50, 0x31];
const KIND = { probe: 1, echo: 2, knock: 3, cookie: 4, opened: 5 } as const;
const TOKEN_AT = 5;
export const TOKEN_BYTES = 16;
export const COOKIE_BYTES = 16;
const STREAM_AT = TOKEN_AT + TOKEN_BYTES;
const COOKIE_AT = STREAM_AT + 4;
/** Probe and echo. */
export const PROBE_BYTES = STREAM_AT;
const KNOCK_BYTES = COOKIE_AT + COOKIE_BYTES;

export type PeerPacket =
  | { readonly kind: 'probe' | 'echo'; readonly token: Uint8Array }
  | {
      readonly kind: 'knock';
      readonly token: Uint8Array;
      readonly streamId: number;
      readonly cookie: Uint8Array;
    }
  | { readonly kind: 'cookie'; readonly token: Uint8Array; readonly cookie: Uint8Array }
  | { readonly kind: 'opened'; readonly token: Uint8Array; readonly streamId: number };

export function encodePeerPacket(packet: PeerPacket): Uint8Array {
  const isShort = packet.kind === 'probe' || packet.kind === 'echo';
  const bytes = new Uint8Array(isShort ? PROBE_BYTES : KNOCK_BYTES);
  bytes.set(MAGIC);
  bytes[4] = KIND[packet.kind];
  bytes.set(packet.token, TOKEN_AT);
  if ('streamId' in packet) new DataView(bytes.buffer).setUint32(STREAM_AT, packet.streamId);
  if ('cookie' in packet) bytes.set(packet.cookie, COOKIE_AT);
  return bytes;
}

/** Undefined for anything else. */
export function decodePeerPacket(bytes: Uint8Array): PeerPacket | undefined {
  if (bytes.byteLength < PROBE_BYTES || MAGIC.some((byte, at) => bytes[at] !== byte)) return undefined;
  const token = bytes.slice(TOKEN_AT, STREAM_AT);
  if (bytes.byteLength === PROBE_BYTES) {
    if (bytes[4] === KIND.probe) return { kind: 'probe', token };
    return bytes[4] === KIND.echo ? { kind: 'echo', token } : undefined;
  }
  if (bytes.byteLength !== KNOCK_BYTES) return undefined;
  const streamId = new DataView(bytes.buffer, bytes.byteOffset).getUint32(STREAM_AT);
  const cookie = bytes.slice(COOKIE_AT);
  switch (bytes[4]) {
    case KIND.knock:
      return streamId === 0 ? undefined : { kind: 'knock', token, streamId, cookie };
    case KIND.cookie:
      return { kind: 'cookie', token, cookie };
    case KIND.opened:
      return streamId === 0 ? undefined : { kind: 'opened', token, streamId };
    default:
      return undefined;
  }
}
