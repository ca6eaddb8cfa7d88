import { addressSchema, hex32Schema, holdParamsSchema, leaseIdSchema, peerKeySchema } from '@latent/protocol';
import { z } from 'zod';

const wantedSchema = z.object({
  book: z.url(),
  domain: z.object({ chainId: z.int(), escrow: addressSchema }),
  agentKey: addressSchema,
});
const peerSchema = z.object({ key: peerKeySchema, hints: z.array(z.string()) });

/** What the page is asked to do. Plain JSON. */
export const pageRequestSchema = z.discriminatedUnion('do', [
  /** Reach peers with the key pair of this seed from now on. `resumeMs`: how long a connection waits for another path. Answer: its key. */
  z.object({ do: z.literal('begin'), seed: hex32Schema, resumeMs: z.int() }),
  /** Find the agent's ask at a book, and check its signature. Answer: the ask's id, and where its peer is. */
  z.object({ do: z.literal('find'), agent: wantedSchema }),
  /** Find the agent, and have it hold a device. Answer: the signed hold. */
  z.object({ do: z.literal('hold a device'), agent: wantedSchema, renter: addressSchema }),
  /** Call the agent. Answer: what it answers. */
  z.object({ do: z.literal('hold'), peer: peerSchema, params: holdParamsSchema }),
  z.object({ do: z.literal('status'), peer: peerSchema, leaseId: leaseIdSchema }),
  /** Read a job's output until it has all of this text. Answer: how often the text is there. */
  z.object({ do: z.literal('read logs'), peer: peerSchema, leaseId: leaseIdSchema, until: z.string() }),
  /** Send messages of these sizes and take them back. Answer: the bytes that came back as they were sent. */
  z.object({ do: z.literal('echo'), peer: peerSchema, sizes: z.array(z.int()) }),
  /** Open a stream, and leave it open. */
  z.object({ do: z.literal('stay'), peer: peerSchema }),
]);
export type PageRequest = z.infer<typeof pageRequestSchema>;

/** What the page says: what came of a request, or that it failed by itself. */
export const pageAnswerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('value'), value: z.unknown() }),
  z.object({ kind: z.literal('error'), code: z.string(), message: z.string() }),
]);
export type PageAnswer = z.infer<typeof pageAnswerSchema>;
