import { z } from 'zod';

export const forwarderSetupSchema = z.object({
  protocol: z.enum(['udp', 'tcp']),
  /** Port on this machine to forward to. */
  to: z.int(),
  /** How long everything is on its way, each way. */
  delayMs: z.number(),
  /** Chance of each packet to be lost, each way; 0 for TCP, whose bytes cannot be lost here. */
  loss: z.number(),
  /** What is lost is drawn from it: the same packets, counted from the first, each time. */
  seed: z.int(),
});
export type ForwarderSetup = z.infer<typeof forwarderSetupSchema>;

/** What a forwarder is asked: how much it has forwarded. */
export const forwarderAskedSchema = z.object({ kind: z.literal('count') });
export type ForwarderAsked = z.infer<typeof forwarderAskedSchema>;

export const forwarderToldSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready'), port: z.int() }),
  z.object({ kind: z.literal('counted'), packets: z.int(), lost: z.int() }),
]);
export type ForwarderTold = z.infer<typeof forwarderToldSchema>;
