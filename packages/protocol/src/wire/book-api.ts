import { z } from 'zod';
import { addressSchema, askIdSchema, hex32Schema, signatureSchema } from '../ids.ts';
import { refusalSchema, relaxationSchema } from '../match/refusal.ts';
import { requirementsSchema } from '../match/requirements.ts';
import { signedAskSchema } from '../messages/ask.ts';
import { relayJoinSchema, signedRelayAskSchema } from '../messages/relay-ask.ts';

/** Most asks in one answer of a book. */
export const MAX_ASKS_PER_ANSWER = 512;
/** Largest body that a book accepts, and largest answer that a client reads, in bytes. */
export const MAX_BOOK_REQUEST_BYTES = 64 * 1024;
export const MAX_BOOK_ANSWER_BYTES = 2 * 1024 * 1024;

/** `POST /v1/orders` */
export const matchRequestSchema = z.object({ requirements: requirementsSchema });
export type MatchRequest = z.infer<typeof matchRequestSchema>;

/** A signed ask as a book serves it, with what the book states about it. Only what is signed is to be believed. */
export const listedAskSchema = z.object({
  id: askIdSchema,
  signed: signedAskSchema,
  /** The agent is connected and has sent this ask over that connection. */
  present: z.boolean(),
  freeDevices: z.int().min(0).max(1024),
  /** As stated by the book, in base units, decimal; a client recomputes it from the signed rate. */
  pricePerDeviceHour: z.string().regex(/^\d{1,20}$/),
});
export type ListedAsk = z.infer<typeof listedAskSchema>;

/** Answer to `POST /v1/orders`: the signed asks that the book considered, and its own view of the match. */
export const matchAnswerSchema = z.object({
  asks: z.array(listedAskSchema).max(MAX_ASKS_PER_ANSWER),
  chosen: z.array(askIdSchema).max(MAX_ASKS_PER_ANSWER),
  spares: z.array(askIdSchema).max(MAX_ASKS_PER_ANSWER),
  refusals: z.array(refusalSchema).max(MAX_ASKS_PER_ANSWER),
  relaxations: z.array(relaxationSchema).max(64),
});
export type MatchAnswer = z.infer<typeof matchAnswerSchema>;

/** Answer to `POST /v1/asks`. `pending`: kept, and served once the chain confirms whose agent it is. */
export const askTakenSchema = z.object({ id: askIdSchema, state: z.enum(['accepted', 'pending']) });
export type AskTaken = z.infer<typeof askTakenSchema>;

/** `GET /v1/asks?offset&limit` */
export const asksAnswerSchema = z.object({
  asks: z.array(listedAskSchema).max(MAX_ASKS_PER_ANSWER),
  total: z.int().min(0),
});

/** `GET /v1/relay`: what this book relays for beyond what is free. */
export const relayAnswerSchema = z.object({
  /** Null: nothing is relayed for payment, or the relay's key does not belong to its operator yet. */
  offer: signedRelayAskSchema.nullable(),
  /** For the operator, to take the relay's key in; null where nothing is relayed for payment. */
  join: relayJoinSchema.nullable(),
});
export type RelayAnswer = z.infer<typeof relayAnswerSchema>;

/** `GET /v1/status` */
export const bookStatusSchema = z.object({
  name: z.string().max(64),
  chainId: z.int(),
  escrow: addressSchema,
  asks: z.int().min(0),
  present: z.int().min(0),
  /** Peers' links, and channels between them. */
  links: z.int().min(0),
  channels: z.int().min(0),
  /** Since the day began in UTC, both ways. */
  relayedBytes: z.int().min(0),
});
export type BookStatus = z.infer<typeof bookStatusSchema>;

/** Book → agent on the presence connection (`GET /v1/presence`, WebSocket). */
export const bookMessageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('challenge'), challenge: hex32Schema }),
  z.object({ kind: z.literal('present') }),
  z.object({ kind: z.literal('ask-accepted'), ask: askIdSchema }),
  z.object({ kind: z.literal('refused'), code: z.string().max(64), message: z.string().max(2000) }),
]);
export type BookMessage = z.infer<typeof bookMessageSchema>;

/** Agent → book on the presence connection. `hello` first; asks of other agent keys are refused. */
export const agentMessageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('hello'), agentKey: addressSchema, signature: signatureSchema }),
  z.object({ kind: z.literal('ask'), signed: signedAskSchema }),
  /** Devices not in a lease or hold, for the agent's asks. */
  z.object({ kind: z.literal('free'), freeDevices: z.int().min(0).max(1024) }),
  z.object({ kind: z.literal('withdraw'), ask: askIdSchema }),
]);
export type AgentMessage = z.infer<typeof agentMessageSchema>;
