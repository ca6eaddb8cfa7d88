import { z } from 'zod';

/** What a test has a peer do. */
export const peerCommandSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('connect'), key: z.string(), hints: z.array(z.string()) }),
  // By a transport that is made for it, and closed again.
  z.object({ kind: z.literal('fresh'), key: z.string(), hints: z.array(z.string()), directWithinMs: z.number() }),
  z.object({ kind: z.literal('route'), key: z.string() }),
  z.object({ kind: z.literal('echo'), key: z.string(), messages: z.int() }),
  z.object({ kind: z.literal('bulk'), key: z.string(), bytes: z.int() }),
]);
export type PeerCommand = z.infer<typeof peerCommandSchema>;

export const peerAnswerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready'), key: z.string(), hints: z.array(z.string()) }),
  z.object({ kind: z.literal('connected'), ms: z.number(), route: z.string() }),
  z.object({ kind: z.literal('freshly'), answeredMs: z.number(), directMs: z.number().nullable() }),
  z.object({ kind: z.literal('route'), route: z.string() }),
  z.object({ kind: z.literal('echoed'), route: z.string() }),
  z.object({ kind: z.literal('bulk'), megabytesPerSecond: z.number() }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
]);
export type PeerAnswer = z.infer<typeof peerAnswerSchema>;
