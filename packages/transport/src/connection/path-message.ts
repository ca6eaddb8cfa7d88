import { LatentError } from '@latent/protocol';
import { z } from 'zod';
import { bytesOfHex, hexOfBytes } from '../hex.ts';

/** First byte of each message on a path. */
const KIND = { data: 0, ack: 1, ping: 2, pong: 3, datagram: 4, attach: 5, attached: 6, goodbye: 7 } as const;

const VERSION = 1;
const ID_BYTES = 16;
const OFFSET_BYTES = 6;
const ATTACHED_BYTES = 1 + 2 * OFFSET_BYTES;
const ATTACH_BYTES = 1 + 1 + ID_BYTES + 4 + 1 + OFFSET_BYTES;
/** The longest that there is: each of its characters takes up to 6 bytes in JSON. */
const MAX_GOODBYE_CHARS = 500;
const MAX_GOODBYE_BYTES = 4096;

/** Longest piece of data in one message. */
export const MAX_DATA_BYTES = 66 * 1024;
/** Longest message: data and its kind. */
export const MAX_PATH_MESSAGE_BYTES = MAX_DATA_BYTES + 1;

/** Why a peer ends a connection, or will not have it. */
const goodbyeSchema = z.object({ code: z.string().max(64), message: z.string().max(MAX_GOODBYE_CHARS) });
export type Goodbye = z.infer<typeof goodbyeSchema>;

/** Says which connection a path is for. The first message of the side that dialled. */
export interface Attach {
  /** 16 bytes, lower-case hex, random; made by the dialling side, and worth something with its key only. */
  readonly id: string;
  /** Counts the paths of a connection: a path never takes over from a younger one, whichever arrives first. */
  readonly generation: number;
  /** The connection may be new to the peer. Otherwise one that does not know it says so. */
  readonly isNew: boolean;
  /** Bytes of the connection's data that the sender has received. */
  readonly received: number;
}

/** The answer to {@link Attach}. */
export interface Attached {
  /** Bytes of the connection's data that the sender has received: from there the dialling side goes on. */
  readonly received: number;
  /** From where the sender goes on: where the attachment said, or what was acknowledged on an earlier path meanwhile. */
  readonly from: number;
}

export type PathMessage =
  /** Bytes of the connection, in order: those that follow the ones before on this path, at first those from where each side goes on. */
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  /** Bytes received so far, over all paths. */
  | { readonly kind: 'ack'; readonly received: number }
  | { readonly kind: 'ping' | 'pong' }
  | { readonly kind: 'datagram'; readonly bytes: Uint8Array }
  | ({ readonly kind: 'attach' } & Attach)
  | ({ readonly kind: 'attached' } & Attached)
  | ({ readonly kind: 'goodbye' } & Goodbye);

export const PING = Uint8Array.of(KIND.ping);
export const PONG = Uint8Array.of(KIND.pong);
/** What precedes bytes that are sent as data, or as a datagram. */
export const DATA_TAG = KIND.data;
export const DATAGRAM_TAG = KIND.datagram;

export function encodeAck(received: number): Uint8Array {
  const message = new Uint8Array(1 + OFFSET_BYTES);
  message[0] = KIND.ack;
  writeOffset(message, 1, received);
  return message;
}

export function encodeAttached({ received, from }: Attached): Uint8Array {
  const message = new Uint8Array(ATTACHED_BYTES);
  message[0] = KIND.attached;
  writeOffset(message, 1, received);
  writeOffset(message, 1 + OFFSET_BYTES, from);
  return message;
}

export function encodeAttach({ id, generation, isNew, received }: Attach): Uint8Array {
  const message = new Uint8Array(ATTACH_BYTES);
  message[0] = KIND.attach;
  message[1] = VERSION;
  message.set(bytesOfHex(id), 2);
  new DataView(message.buffer).setUint32(2 + ID_BYTES, generation);
  message[2 + ID_BYTES + 4] = isNew ? 1 : 0;
  writeOffset(message, ATTACH_BYTES - OFFSET_BYTES, received);
  return message;
}

export function encodeGoodbye({ code, message }: Goodbye): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify({ code, message: message.slice(0, MAX_GOODBYE_CHARS) }));
  const bytes = new Uint8Array(1 + text.byteLength);
  bytes[0] = KIND.goodbye;
  bytes.set(text, 1);
  return bytes;
}

/** Bytes are views of the message. @throws LatentError MESSAGE_INVALID */
export function decodePathMessage(message: Uint8Array): PathMessage {
  switch (message[0]) {
    case KIND.data:
      return { kind: 'data', bytes: message.subarray(1) };
    case KIND.datagram:
      return { kind: 'datagram', bytes: message.subarray(1) };
    case KIND.ping:
      return { kind: 'ping' };
    case KIND.pong:
      return { kind: 'pong' };
    case KIND.ack:
      if (message.byteLength !== 1 + OFFSET_BYTES) throw invalid('An acknowledgement has the wrong length.');
      return { kind: 'ack', received: readOffset(message, 1) };
    case KIND.attached:
      if (message.byteLength !== ATTACHED_BYTES) throw invalid('The answer to an attachment has the wrong length.');
      return { kind: 'attached', received: readOffset(message, 1), from: readOffset(message, 1 + OFFSET_BYTES) };
    case KIND.attach:
      return decodeAttach(message);
    case KIND.goodbye:
      return decodeGoodbye(message);
    default:
      throw invalid(`A message on a path begins with ${message[0] ?? 'nothing'}, which is no kind.`);
  }
}

function decodeAttach(message: Uint8Array): PathMessage {
  if (message.byteLength !== ATTACH_BYTES) throw invalid('The message that attaches a path has the wrong length.');
  if (message[1] !== VERSION) throw invalid(`The peer speaks version ${message[1]} of paths; this is ${VERSION}.`);
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  return {
    kind: 'attach',
    id: hexOfBytes(message.subarray(2, 2 + ID_BYTES)),
    generation: view.getUint32(2 + ID_BYTES),
    isNew: message[2 + ID_BYTES + 4] === 1,
    received: readOffset(message, ATTACH_BYTES - OFFSET_BYTES),
  };
}

function decodeGoodbye(message: Uint8Array): PathMessage {
  if (message.byteLength > MAX_GOODBYE_BYTES) throw invalid('The peer says goodbye in too many words.');
  const parsed = goodbyeSchema.safeParse(parseJson(message.subarray(1)));
  if (!parsed.success) throw invalid('The peer says goodbye without saying why.');
  return { kind: 'goodbye', ...parsed.data };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // Not JSON: the schema refuses undefined.
    return undefined;
  }
}

function readOffset(message: Uint8Array, at: number): number {
  const view = new DataView(message.buffer, message.byteOffset + at, OFFSET_BYTES);
  return view.getUint16(0) * 2 ** 32 + view.getUint32(2);
}

function writeOffset(message: Uint8Array, at: number, offset: number): void {
  const view = new DataView(message.buffer, message.byteOffset + at, OFFSET_BYTES);
  view.setUint16(0, Math.floor(offset / 2 ** 32));
  view.setUint32(2, offset % 2 ** 32);
}

function invalid(message: string): LatentError {
  return new LatentError('MESSAGE_INVALID', message);
}
