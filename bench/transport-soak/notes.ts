import { z } from 'zod';

const hex32Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** What a process holds when it has collected its garbage. */
export const sampleSchema = z.object({
  rssBytes: z.number(),
  heapBytes: z.number(),
  /** Bytes outside the heap that it owns. */
  bufferBytes: z.number(),
  /** Open descriptors: sockets above all. */
  descriptors: z.int(),
  /** Timers that somebody may still wait for, those that keep nothing alive among them. */
  timers: z.int(),
  /** What keeps its loop alive. */
  resources: z.int(),
});
export type Sample = z.infer<typeof sampleSchema>;

export const listenerSetupSchema = z.object({ seed: hex32Schema, book: z.string() });
export type ListenerSetup = z.infer<typeof listenerSetupSchema>;
export const listenerToldSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready'), port: z.int() }),
  z.object({ kind: z.literal('sampled'), sample: sampleSchema }),
]);
export type ListenerTold = z.infer<typeof listenerToldSchema>;

export const sampleAskedSchema = z.object({ kind: z.literal('sample') });
export type SampleAsked = z.infer<typeof sampleAskedSchema>;

/** `book` and `udp` are hints, of the gates. */
export const diallersSetupSchema = z.object({ seed: hex32Schema, book: z.string(), udp: z.string() });
export type DiallersSetup = z.infer<typeof diallersSetupSchema>;
export const diallersAskedSchema = z.discriminatedUnion('kind', [
  /** Go on until told to stop. */
  z.object({ kind: z.literal('start') }),
  /** Finish what was begun, and show that every lasting stream still works. */
  z.object({ kind: z.literal('stop') }),
  z.object({ kind: z.literal('sample') }),
]);
export type DiallersAsked = z.infer<typeof diallersAskedSchema>;

/** Since the beginning. */
export const countsSchema = z.object({
  /** Calls that were answered with what was sent, each on a stream of its own. */
  calls: z.int(),
  /** Streams that were dropped in the middle. */
  dropped: z.int(),
  /** Messages that came back on streams that last through everything. */
  echoes: z.int(),
  /** Connections that were made, used and given up. */
  connections: z.int(),
  /** Streams that failed to open for want of a path, and were tried again. */
  missed: z.int(),
  /** Paths that came after another one had been lost. */
  resumed: z.int(),
  /** Connections that went from the book to UDP. */
  upgraded: z.int(),
  /** What should not be. The first ones in words. */
  failures: z.int(),
  words: z.array(z.string()),
});
export type Counts = z.infer<typeof countsSchema>;

export const diallersToldSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('started') }),
  z.object({ kind: z.literal('stopped'), counts: countsSchema }),
  z.object({ kind: z.literal('sampled'), sample: sampleSchema }),
]);
export type DiallersTold = z.infer<typeof diallersToldSchema>;

export const gatesAskedSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('lead'), bookPort: z.int(), listenerPort: z.int() }),
  /** Break every connection to the book. */
  z.object({ kind: z.literal('cut') }),
  /** Whether packets to the listener, and from it, are dropped. */
  z.object({ kind: z.literal('block'), isBlocked: z.boolean() }),
]);
export type GatesAsked = z.infer<typeof gatesAskedSchema>;
export const gatesToldSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready'), bookPort: z.int(), udpPort: z.int() }),
  z.object({ kind: z.literal('done') }),
]);
export type GatesTold = z.infer<typeof gatesToldSchema>;
