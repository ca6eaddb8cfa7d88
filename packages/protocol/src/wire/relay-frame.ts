/** Bytes of the channel's number before what is relayed. */
export const RELAY_HEADER_BYTES = 4;
/** Most bytes that one frame relays, without its header. */
export const MAX_RELAY_PAYLOAD_BYTES = 128 * 1024;

/** A binary message of a peer link: channel, 32 bits, big end first; then what is relayed. Copies the payload. */
export function encodeRelayFrame(channel: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(RELAY_HEADER_BYTES + payload.byteLength);
  writeRelayChannel(frame, channel);
  frame.set(payload, RELAY_HEADER_BYTES);
  return frame;
}

/** Puts another channel in front of a frame that was received, in place: relaying then copies nothing. */
export function writeRelayChannel(frame: Uint8Array, channel: number): void {
  new DataView(frame.buffer, frame.byteOffset, RELAY_HEADER_BYTES).setUint32(0, channel);
}

export interface RelayFrame {
  readonly channel: number;
  /** A view of the frame. */
  readonly payload: Uint8Array;
}

/** Undefined for a frame that is too short or too long. */
export function decodeRelayFrame(frame: Uint8Array): RelayFrame | undefined {
  const payloadBytes = frame.byteLength - RELAY_HEADER_BYTES;
  if (payloadBytes < 0 || payloadBytes > MAX_RELAY_PAYLOAD_BYTES) return undefined;
  const channel = new DataView(frame.buffer, frame.byteOffset, RELAY_HEADER_BYTES).getUint32(0);
  return { channel, payload: frame.subarray(RELAY_HEADER_BYTES) };
}
