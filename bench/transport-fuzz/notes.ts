import { z } from 'zod';

/** What the process of `transport-fuzz` is asked. */
export const fuzzAskedSchema = z.object({ target: z.string(), inputs: z.int().min(1), seed: z.int() });
export type FuzzAsked = z.infer<typeof fuzzAskedSchema>;

export const fuzzToldSchema = z.object({
  inputs: z.number(),
  taken: z.number(),
  refused: z.number(),
  ended: z.number(),
  crashes: z.array(z.string()),
  longestMs: z.number(),
  /** Memory before the first input, and the most of all the time. */
  rssBytes: z.number(),
  peakRssBytes: z.number(),
});
export type FuzzTold = z.infer<typeof fuzzToldSchema>;
