import { z } from 'zod';

const port = z.int().min(0).max(65_535);

export const orderSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('bind'), family: z.union([z.literal(4), z.literal(6)]), port }),
  /** One datagram for each text, in order. */
  z.strictObject({
    kind: z.literal('send'),
    socket: z.int(),
    texts: z.array(z.string()).readonly(),
    host: z.string(),
    port,
  }),
  z.strictObject({ kind: z.literal('listen') }),
  z.strictObject({ kind: z.literal('connect'), host: z.string(), port }),
]);

export const heardSchema = z.strictObject({
  kind: z.literal('heard'),
  socket: z.int(),
  text: z.string(),
  host: z.string(),
  port,
});

export const saidSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('answer'), number: z.int().optional(), text: z.string().optional() }),
  heardSchema,
]);

export type SocketOrder = z.infer<typeof orderSchema>;
export type Said = z.infer<typeof saidSchema>;
export type Heard = z.infer<typeof heardSchema>;
