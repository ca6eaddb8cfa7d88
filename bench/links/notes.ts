import { z } from 'zod';

/** How many connections an agents' process opens at once. */
export const AT_ONCE = 16;

/** What the book's process is started with. */
export const bookSetupSchema = z.object({ dataDir: z.string() });
/** What an agents' process is started with: so many agents, and which. */
export const agentsSetupSchema = z.object({ url: z.url(), first: z.int(), count: z.int() });
/** What the process with pairs of peers is started with. */
export const pairsSetupSchema = z.object({ url: z.url() });

/** What a process is asked. */
export const askedSchema = z.discriminatedUnion('kind', [
  /** Of the book: collect garbage, then tell. */
  z.object({ kind: z.literal('measure') }),
  /** Of the agents. */
  z.object({ kind: z.literal('open'), what: z.enum(['presence', 'links']) }),
  /** Of the pairs: so many of them, so long. */
  z.object({ kind: z.literal('relay'), pairs: z.int(), frameBytes: z.int(), ms: z.number() }),
]);
export type Asked = z.infer<typeof askedSchema>;

/** What a process tells: `ready` at first, then one note for each thing that it was asked. */
export const noteSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready'), url: z.string() }),
  z.object({
    kind: z.literal('measured'),
    rssBytes: z.number(),
    heapBytes: z.number(),
    /** Of the whole process since its start. */
    cpuMs: z.number(),
    /** Since the process was started. */
    atMs: z.number(),
  }),
  z.object({ kind: z.literal('opened'), ms: z.number() }),
  z.object({ kind: z.literal('relayed'), bytes: z.number(), ms: z.number() }),
]);
export type Note = z.infer<typeof noteSchema>;
export type Measured = Extract<Note, { kind: 'measured' }>;
