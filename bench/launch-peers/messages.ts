import { addressSchema, deploymentSchema } from '@latent/protocol';
import { z } from 'zod';

// What the benchmark and its processes in the lab say to each other, as JSON, one message a line.

/** For the process that puts the contracts on the chain and gives accounts money. */
export const chainSetupSchema = z.object({
  /** As this process reaches the chain, and as others do. */
  localUrl: z.string(),
  publicUrl: z.string(),
  chainId: z.int(),
  accounts: z.array(addressSchema),
});
export type ChainSetup = z.infer<typeof chainSetupSchema>;

export const chainReadySchema = z.object({ kind: z.literal('ready'), deployment: deploymentSchema });

export const renterSetupSchema = z.object({
  deployment: deploymentSchema,
  book: z.url(),
  machines: z.int(),
  spares: z.int(),
  /** Has money already. */
  secret: z.string().regex(/^0x[0-9a-f]{64}$/),
});
export type RenterSetup = z.infer<typeof renterSetupSchema>;

/** Milliseconds of one launch. */
const launchTimesSchema = z.object({
  /** From the order to the machines that are chosen. */
  order: z.number(),
  /** From there until so many agents have signed holds, and these were checked. */
  holds: z.number(),
  /** From there until the chain has taken the opening transaction. */
  sent: z.number(),
  /** From the holds, too, until each of the held agents has answered another call. */
  live: z.number(),
  /** From the order until both are done. */
  total: z.number(),
  /** From the order until each has answered once more, asked only when the transaction was sent. */
  again: z.number(),
  /** Connections to held agents that were direct at the end, and those that were relayed. */
  direct: z.int(),
  relayed: z.int(),
  /** Whether this is the first launch of its process. */
  isFirst: z.boolean(),
});
export type LaunchTimes = z.infer<typeof launchTimesSchema>;

/** The renter launches whenever it is told to: any line will do. */
export const renterToldSchema = z.discriminatedUnion('kind', [
  /** Of a bare TCP connection to the book. */
  z.object({ kind: z.literal('ready'), roundTripsMs: z.array(z.number()) }),
  z.object({ kind: z.literal('launched'), times: launchTimesSchema }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
]);
export type RenterTold = z.infer<typeof renterToldSchema>;
