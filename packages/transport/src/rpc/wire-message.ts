import { type ErrorBody, errorBodySchema, LatentError } from '@latent/protocol';
import { z } from 'zod';
import { MAX_MESSAGE_BYTES } from '../transport.ts';
import { MAX_METHOD_NAME_CHARS } from './define-method.ts';

/** First byte of each message. An error has its own tag, so that no JSON of a method can be mistaken for one. */
const TAG_JSON = 0;
const TAG_BYTES = 1;
const TAG_ERROR = 2;

/** Most bytes that one message carries beside its tag, be it JSON or bytes. */
export const MAX_PAYLOAD_BYTES = MAX_MESSAGE_BYTES - 1;

export type WireMessage =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'error'; readonly body: ErrorBody };

/** First message of a call. */
export const requestSchema = z.object({
  method: z.string().min(1).max(MAX_METHOD_NAME_CHARS),
  params: z.unknown(),
});

/** First message of the answer. */
export const replySchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), result: z.unknown() }),
  z.object({ ok: z.literal(false), error: errorBodySchema }),
]);

/** @throws LatentError MESSAGE_TOO_LARGE; MESSAGE_INVALID for what JSON cannot carry */
export function encodeJson(value: unknown): Uint8Array {
  return encode(TAG_JSON, new TextEncoder().encode(toJsonText(value)));
}

/** Copies. @throws LatentError MESSAGE_TOO_LARGE */
export function encodeBytes(bytes: Uint8Array): Uint8Array {
  return encode(TAG_BYTES, bytes);
}

/** @throws LatentError MESSAGE_TOO_LARGE */
export function encodeError(body: ErrorBody): Uint8Array {
  return encode(TAG_ERROR, new TextEncoder().encode(JSON.stringify(body)));
}

/** Bytes are not copied. @throws LatentError MESSAGE_INVALID */
export function decodeMessage(message: Uint8Array): WireMessage {
  const payload = message.subarray(1);
  switch (message[0]) {
    case TAG_JSON:
      return { kind: 'json', value: parseJson(payload) };
    case TAG_BYTES:
      return { kind: 'bytes', bytes: payload };
    case TAG_ERROR:
      return { kind: 'error', body: parseAs(errorBodySchema, parseJson(payload), 'error') };
    default:
      throw new LatentError('MESSAGE_INVALID', `A message begins with ${message[0] ?? 'nothing'}, which is no tag.`);
  }
}

/**
 * Parses what a peer sent.
 * @param what names the thing in the error, before the path of the field
 * @throws LatentError MESSAGE_INVALID naming the first field that does not fit
 */
export function parseAs<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = [what, ...(issue?.path ?? [])].map(String).join('.').slice(0, 200);
  throw new LatentError('MESSAGE_INVALID', `${field}: ${(issue?.message ?? 'does not fit').slice(0, 500)}`, {
    details: { field },
    cause: parsed.error,
  });
}

function encode(tag: number, payload: Uint8Array): Uint8Array {
  if (payload.byteLength > MAX_PAYLOAD_BYTES) {
    const text = `A message of ${payload.byteLength} bytes; at most ${MAX_PAYLOAD_BYTES} fit.`;
    throw new LatentError('MESSAGE_TOO_LARGE', text);
  }
  const message = new Uint8Array(1 + payload.byteLength);
  message[0] = tag;
  message.set(payload, 1);
  return message;
}

function toJsonText(value: unknown): string {
  try {
    const text: string | undefined = JSON.stringify(value, (_key, part: unknown) =>
      typeof part === 'bigint' ? part.toString() : part,
    );
    if (text !== undefined) return text;
  } catch (cause) {
    throw new LatentError('MESSAGE_INVALID', 'The value cannot be written as JSON.', { cause });
  }
  throw new LatentError('MESSAGE_INVALID', `A value of type ${typeof value} cannot be written as JSON.`);
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch (cause) {
    throw new LatentError('MESSAGE_INVALID', 'A message is not JSON in UTF-8.', { cause });
  }
}
