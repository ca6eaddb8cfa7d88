import { z } from 'zod';
import { linkCountsSchema, linkShapeSchema } from './link-shape.ts';

// What a lab and its shapers say to each other. A shaper answers each order, in turn.

export const orderSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('shape'), shape: linkShapeSchema }),
  z.strictObject({ kind: z.literal('count') }),
]);

export const answerSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ready') }),
  z.strictObject({ kind: z.literal('shaped') }),
  z.strictObject({ kind: z.literal('counts'), counts: linkCountsSchema }),
]);

export type Order = z.infer<typeof orderSchema>;
export type Answer = z.infer<typeof answerSchema>;
