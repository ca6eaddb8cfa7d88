import { z } from 'zod';

export const memberSetupSchema = z.object({
  rank: z.int(),
  /** 32 bytes of hex, of the member's key. */
  seed: z.string(),
  way: z.enum(['direct', 'tcp']),
  stateDir: z.string(),
});

/** What a member is asked. */
export const memberAskedSchema = z.discriminatedUnion('kind', [
  /** Without a hint it waits to be dialled. */
  z.object({ kind: z.literal('join'), rank: z.int(), seed: z.string(), hint: z.string().optional() }),
  z.object({ kind: z.literal('count') }),
  z.object({ kind: z.literal('leave') }),
]);
export type MemberAsked = z.infer<typeof memberAskedSchema>;

export const memberToldSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready'), hint: z.string() }),
  z.object({ kind: z.literal('joined'), namespacePath: z.string() }),
  z.object({ kind: z.literal('counted'), sentBytes: z.int(), droppedPackets: z.int() }),
  z.object({ kind: z.literal('left') }),
]);
export type MemberTold = z.infer<typeof memberToldSchema>;

/** What an end of TCP is asked. */
export const endAskedSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('listen'), address: z.string() }),
  /** Until the other end has said that it has everything. */
  z.object({ kind: z.literal('send'), address: z.string(), port: z.int(), totalBytes: z.int() }),
  /** One byte there and back, so many times. */
  z.object({ kind: z.literal('echo'), address: z.string(), port: z.int(), count: z.int() }),
]);
export type EndAsked = z.infer<typeof endAskedSchema>;

export const endToldSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('listening'), port: z.int() }),
  z.object({ kind: z.literal('took'), ms: z.array(z.number()) }),
]);
export type EndTold = z.infer<typeof endToldSchema>;
