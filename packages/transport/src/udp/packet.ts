/**
 * The packets by which two UDP sockets find each other, before there is a stream between them. Each begins with "LTP1" and a kind.
 *
 * Through a book: both sides know a token and send *probes* to each other's addresses. A probe that arrives is answered by an *echo* of
 * its nonce with a nonce of the answering side, and that by a *confirm* of this nonce: each side then knows that the other receives what is
 * sent to its address, which whoever forges a sender cannot show. By a hint alone: *knock* (with an empty cookie), *cookie* (which
 * shows the same of the knocker), knock (with the cookie), *opened*. An answer is never longer than what it answers, so that nobody can
 * have us send to others more than they sent.
 */
const MAGIC = [0x4c, 0x54, 0x50, 0x31];
const KIND = { probe: 1, echo: 2, knock: 3, cookie: 4, opened: 5, confirm: 6 } as const;
const TOKEN_AT = 5;
export const TOKEN_BYTES = 16;
export const COOKIE_BYTES = 16;
/** Enough against guessing: who could send as many guesses needs no help to flood somebody. */
export const NONCE_BYTES = 4;
const NONCE_AT = TOKEN_AT + TOKEN_BYTES;
const OWN_NONCE_AT = NONCE_AT + NONCE_BYTES;
const STREAM_AT = TOKEN_AT + TOKEN_BYTES;
const COOKIE_AT = STREAM_AT + 4;
/** Probe, echo and confirm. */
export const PROBE_BYTES = OWN_NONCE_AT + NONCE_BYTES;
const KNOCK_BYTES = COOKIE_AT + COOKIE_BYTES;

export type PeerPacket =
  | { readonly kind: 'probe' | 'confirm'; readonly token: Uint8Array; readonly nonce: Uint8Array }
  | {
      readonly kind: 'echo';
      readonly token: Uint8Array;
      /** Of the probe. */
      readonly nonce: Uint8Array;
      /** Of who answers; a confirm carries it back. */
      readonly ownNonce: Uint8Array;
    }
  | {
      readonly kind: 'knock';
      readonly token: Uint8Array;
      readonly streamId: number;
      readonly cookie: Uint8Array;
    }
  | { readonly kind: 'cookie'; readonly token: Uint8Array; readonly cookie: Uint8Array }
  | { readonly kind: 'opened'; readonly token: Uint8Array; readonly streamId: number };

export function encodePeerPacket(packet: PeerPacket): Uint8Array {
  const bytes = new Uint8Array('nonce' in packet ? PROBE_BYTES : KNOCK_BYTES);
  bytes.set(MAGIC);
  bytes[4] = KIND[packet.kind];
  bytes.set(packet.token, TOKEN_AT);
  if ('nonce' in packet) bytes.set(packet.nonce, NONCE_AT);
  if ('ownNonce' in packet) bytes.set(packet.ownNonce, OWN_NONCE_AT);
  if ('streamId' in packet) new DataView(bytes.buffer).setUint32(STREAM_AT, packet.streamId);
  if ('cookie' in packet) bytes.set(packet.cookie, COOKIE_AT);
  return bytes;
}

/** Undefined for anything else. */
export function decodePeerPacket(bytes: Uint8Array): PeerPacket | undefined {
  if (bytes.byteLength < PROBE_BYTES || MAGIC.some((byte, at) => bytes[at] !== byte)) return undefined;
  const token = copyOf(bytes, TOKEN_AT, NONCE_AT);
  if (bytes.byteLength === PROBE_BYTES) return decodeProbe(bytes, token);
  if (bytes.byteLength !== KNOCK_BYTES) return undefined;
  const streamId = new DataView(bytes.buffer, bytes.byteOffset).getUint32(STREAM_AT);
  const cookie = copyOf(bytes, COOKIE_AT, KNOCK_BYTES);
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

function decodeProbe(bytes: Uint8Array, token: Uint8Array): PeerPacket | undefined {
  const nonce = copyOf(bytes, NONCE_AT, OWN_NONCE_AT);
  switch (bytes[4]) {
    case KIND.probe:
      return { kind: 'probe', token, nonce };
    case KIND.echo:
      return { kind: 'echo', token, nonce, ownNonce: copyOf(bytes, OWN_NONCE_AT, PROBE_BYTES) };
    case KIND.confirm:
      return { kind: 'confirm', token, nonce };
    default:
      return undefined;
  }
}

/** `slice` of a Buffer is none. */
function copyOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return Uint8Array.from(bytes.subarray(from, to));
}
