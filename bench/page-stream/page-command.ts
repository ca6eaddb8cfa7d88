import { z } from 'zod';

/** What is measured side by side. */
export const pageKinds = ['relayed', 'noise', 'plain'] as const;
export type PageKind = (typeof pageKinds)[number];

const hexSchema = z.string().regex(/^[0-9a-f]{64}$/, 'not 32 bytes of hex');

/** What the page is asked by, in the address of its script. */
export const pageSetupSchema = z.object({
  /** How it speaks: by a transport through a book, or over a WebSocket to this end, encrypted or not. */
  speak: z.enum(pageKinds),
  /** What its key pair is made from. */
  seed: hexSchema,
  /** The key that the other end has to prove. */
  expect: hexSchema,
  /** The book through which a transport finds it. */
  book: z.string(),
});
export type PageSetup = z.infer<typeof pageSetupSchema>;

const MAX_MESSAGES = 1_000_000;

/**
 * What the page is told to do, as JSON in one message. When it has done that it takes the next one.
 * - `send`: send messages.
 * - `receive`: take in messages of so many bytes in all, then say so with a message of one byte.
 */
export const pageCommandSchema = z.discriminatedUnion('do', [
  z.object({ do: z.literal('send'), messages: z.int().min(1).max(MAX_MESSAGES), bytes: z.int().min(1).max(262_144) }),
  z.object({ do: z.literal('receive'), bytes: z.int().min(1) }),
]);
export type PageCommand = z.infer<typeof pageCommandSchema>;
