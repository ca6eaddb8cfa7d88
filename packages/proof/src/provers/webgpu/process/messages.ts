import { errorBodySchema } from '@latent/protocol';
import { z } from 'zod';

/** What an engine and the process that runs its device say to each other. Both are of one release: no versions, no growth. */
const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array);

const parameters = z.object({
  name: z.enum(['production', 'cpu', 'development']),
  number: z.number(),
  width: z.number(),
  gates: z.number(),
  links: z.number(),
  computeRows: z.number(),
  lanes: z.number(),
  laneRows: z.number(),
  samples: z.number(),
  leastComputeMs: z.number(),
  leastBandwidthMs: z.number(),
});

const phase = z.enum(['compute', 'bandwidth']);

const openOptions = z.object({
  adapter: z.string().optional(),
  arithmetic: z.enum(['dot4', 'f32']).optional(),
  mostBufferBytes: z.number().optional(),
  memoryBytes: z.number(),
});

const request = z.discriminatedUnion('call', [
  z.object({ call: z.literal('list') }),
  z.object({ call: z.literal('open'), options: openOptions }),
  z.object({ call: z.literal('fittingLayers'), parameters }),
  z.object({ call: z.literal('fill'), parameters, sessionId: bytes, layers: z.number() }),
  z.object({ call: z.literal('runPass'), phase, seed: bytes }),
  z.object({
    call: z.literal('reopenRows'),
    rows: z.array(z.object({ phase, seed: bytes, row: z.number(), states: z.array(z.number()) })),
  }),
]);
export type Request = z.infer<typeof request>;

/** To the device's process: a call, or to stop one. */
export const orderSchema = z.union([z.object({ id: z.number(), request }), z.object({ cancel: z.number() })]);
export type Order = z.infer<typeof orderSchema>;

/** From it: how far a call is, what came of it, or what went wrong and the texts of what that came from. */
export const newsSchema = z.union([
  z.object({ id: z.number(), progress: z.number() }),
  z.object({ id: z.number(), result: z.unknown() }),
  z.object({ id: z.number(), error: errorBodySchema, causes: z.array(z.string()) }),
]);
export type News = z.infer<typeof newsSchema>;

export const resultSchemas = {
  list: z.array(
    z.object({
      name: z.string(),
      backend: z.string(),
      vendor: z.string(),
      architecture: z.string(),
      software: z.boolean(),
    }),
  ),
  open: z.object({ name: z.string(), class: z.enum(['gpu', 'software']) }),
  fittingLayers: z.number(),
  fill: z.undefined(),
  runPass: bytes,
  reopenRows: z.array(z.object({ digests: bytes, states: z.array(bytes) })),
} as const;
