import { z } from 'zod';

/** What is compared. */
export const wayNames = ['direct', 'relayed', 'tcp', 'wss', 'udx'] as const;
export type WayName = (typeof wayNames)[number];

const waySchema = z.enum(wayNames);
const hex32Schema = z.string().regex(/^[0-9a-f]{64}$/);
/** PEM. */
const pemSchema = z.string();

export const listenerSetupSchema = z.object({
  way: waySchema,
  /** Of the listener's key. */
  seed: hex32Schema,
  /** URL of the book. */
  book: z.string(),
  certificate: pemSchema,
  privateKey: pemSchema,
});
export type ListenerSetup = z.infer<typeof listenerSetupSchema>;

export const diallerSetupSchema = z.object({
  way: waySchema,
  seed: hex32Schema,
  /** What the listener told, or where a forwarder to it is. */
  at: z.string(),
  certificate: pemSchema,
});
export type DiallerSetup = z.infer<typeof diallerSetupSchema>;

/** What a dialler is asked. */
export const diallerAskedSchema = z.discriminatedUnion('kind', [
  /** New connections, one after the other, each used once. */
  z.object({ kind: z.literal('connect'), count: z.int() }),
  /** Messages there and back on one channel of the standing connection, one after the other. */
  z.object({ kind: z.literal('echo'), count: z.int(), bytes: z.int() }),
  /** One way, on a channel of its own. */
  z.object({ kind: z.literal('bulk'), messageBytes: z.int(), totalBytes: z.int() }),
  /** Over the standing connection, so many at once. */
  z.object({ kind: z.literal('calls'), count: z.int(), atOnce: z.int(), bytes: z.int() }),
  /** Connections that are used once and then kept. */
  z.object({ kind: z.literal('hold'), count: z.int(), atOnce: z.int() }),
]);
export type DiallerAsked = z.infer<typeof diallerAskedSchema>;

export const diallerToldSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  /** Of each connection: until it was there, and until its first answer was. */
  z.object({ kind: z.literal('connected'), connectMs: z.array(z.number()), answerMs: z.array(z.number()) }),
  z.object({ kind: z.literal('echoed'), ms: z.array(z.number()) }),
  /** Of all together. */
  z.object({ kind: z.literal('took'), ms: z.number() }),
]);
export type DiallerTold = z.infer<typeof diallerToldSchema>;

/** What a listener is asked: to collect garbage, and tell. */
export const listenerAskedSchema = z.object({ kind: z.literal('measure') });
export type ListenerAsked = z.infer<typeof listenerAskedSchema>;

export const listenerToldSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready'), at: z.string() }),
  z.object({ kind: z.literal('measured'), rssBytes: z.number(), heapBytes: z.number() }),
]);
export type ListenerTold = z.infer<typeof listenerToldSchema>;

export const bookSetupSchema = z.object({ dataDir: z.string(), publicUrls: z.array(z.string()) });
export const bookAskedSchema = z.object({ kind: z.literal('locate') });
export type BookAsked = z.infer<typeof bookAskedSchema>;
export const bookToldSchema = z.object({ kind: z.literal('ready'), url: z.string() });
export type BookTold = z.infer<typeof bookToldSchema>;
