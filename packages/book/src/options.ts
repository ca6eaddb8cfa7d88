import { deploymentSchema } from '@latent/protocol';
import { z } from 'zod';

/** What somebody who runs a book decides. Read from one JSON file; only `deployment` and `dataDir` have no default. */
export const bookOptionsSchema = z.strictObject({
  deployment: deploymentSchema,
  /** Database and log. Created with mode 0700. */
  dataDir: z.string().min(1).max(1024),
  name: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'not a name like book-1')
    .default('book'),
  /** IP address and port to serve on; port 0 for any free one. */
  address: z.string().max(64).default('127.0.0.1'),
  port: z.int().min(0).max(65_535).default(0),
  /** Under which URLs agents know this book, where they are not those of `address` and `port` (behind a proxy, say). */
  publicUrls: z.array(z.url().max(500)).max(8).default([]),
  /** Most asks kept, over all agents and of one agent. */
  maxAsks: z.int().min(1).max(1_000_000).default(100_000),
  maxAsksPerAgent: z.int().min(1).max(1_000).default(16),
  /** Most asks kept that the chain has not confirmed yet, because it does not answer. */
  maxPendingAsks: z.int().min(1).max(100_000).default(4_096),
  /** Messages a minute from one agent: two for each change of what it has free. */
  messagesPerMinute: z.int().min(1).max(100_000).default(600),
  /** HTTP requests a minute from one IP address. */
  requestsPerMinute: z.int().min(1).max(1_000_000).default(1_200),
  /** Presence connections at once from one IP address, and altogether. */
  connectionsPerAddress: z.int().min(1).max(100_000).default(256),
  maxConnections: z.int().min(1).max(1_000_000).default(20_000),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});
export type BookOptions = z.infer<typeof bookOptionsSchema>;
export type BookOptionsInput = z.input<typeof bookOptionsSchema>;
