import { isIP } from 'node:net';
import { addressSchema, deploymentSchema, uintSchema } from '@latent/protocol';
import { z } from 'zod';
import { ipText } from './sockets/ip-address.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

const ipSchema = z
  .string()
  .max(64)
  .refine((text) => isIP(text) !== 0, 'not an IP address');
const portSchema = z.int().min(0).max(65_535);
const byteCountSchema = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const bytesPerSecondSchema = z.int().min(65_536).max(Number.MAX_SAFE_INTEGER);
const queueSchema = z
  .int()
  .min(262_144)
  .max(64 * GIB);

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
  port: portSchema.default(0),
  /** Under which URLs agents know this book, where they are not those of `address` and `port` (behind a proxy, say). */
  publicUrls: z.array(z.url().max(500)).max(8).default([]),
  /** Most asks kept, over all agents and of one agent. */
  maxAsks: z.int().min(1).max(1_000_000).default(100_000),
  maxAsksPerAgent: z.int().min(1).max(1_000).default(16),
  /** Most asks kept that the chain has not confirmed yet, because it does not answer. */
  maxPendingAsks: z.int().min(1).max(100_000).default(4_096),
  /** Messages a minute from one agent, two for each change of what it has free; and over one link of a peer. */
  messagesPerMinute: z.int().min(1).max(100_000).default(600),
  /** HTTP requests a minute from one IP address, WebSockets that it opens among them. */
  requestsPerMinute: z.int().min(1).max(1_000_000).default(1_200),
  /** IP addresses of your own proxies. Of what comes from them, `X-Forwarded-For` says which address it is from. */
  proxies: z.array(ipSchema.transform(ipText)).max(16).default([]),
  /** Presence connections and links of peers at once from one IP address, and altogether. */
  connectionsPerAddress: z.int().min(1).max(100_000).default(256),
  maxConnections: z.int().min(1).max(1_000_000).default(20_000),
  /** Whether peers can ask by UDP at which address they are seen. */
  discovery: z.boolean().default(true),
  /** IP address of the two UDP ports, if it is not `address`; the ports, 0 for any free one. */
  discoveryAddress: ipSchema.optional(),
  discoveryPorts: z
    .tuple([portSchema, portSchema])
    .refine(([one, other]) => one === 0 || one !== other, 'two different ports are needed')
    .default([0, 0]),
  /** Name or address under which peers reach those ports, if it is not the one in the URL of the book. */
  discoveryHost: z.string().min(1).max(253).optional(),
  /** Questions a minute from one IP address, all its peers together. */
  discoveryQuestionsPerMinute: z.int().min(1).max(1_000_000).default(600),
  /** Introductions a minute that one peer, and one IP address, asks for. */
  introductionsPerMinutePerKey: z.int().min(1).max(1_000_000).default(300),
  introductionsPerMinutePerAddress: z.int().min(1).max(1_000_000).default(1_200),
  /** Channels of one link at once, and how many of them may wait for an answer. */
  channelsPerLink: z.int().min(1).max(65_536).default(1_024),
  unansweredPerLink: z.int().min(1).max(65_536).default(128),
  /** Bytes a second that are relayed from one peer, and from one IP address. */
  relayBytesPerSecond: bytesPerSecondSchema.default(125_000_000),
  relayBytesPerSecondPerAddress: bytesPerSecondSchema.default(125_000_000),
  /** Bytes that wait in memory for who takes them too slowly: of one channel, of one link, altogether. */
  relayQueueBytesPerChannel: queueSchema.default(8 * MIB),
  relayQueueBytesPerLink: queueSchema.default(64 * MIB),
  relayQueueBytes: queueSchema.default(512 * MIB),
  /** Bytes a UTC day that are relayed without payment on channels that one peer, and one IP address, opens; both ways. */
  relayFreeBytesPerKey: byteCountSchema.default(4 * GIB),
  relayFreeBytesPerAddress: byteCountSchema.default(16 * GIB),
  /** What is relayed beyond that is paid for by leases of the escrow. Missing: nothing is. */
  relay: z
    .strictObject({
      /** Who is paid: an account on chain. Its key is not on this machine. */
      operator: addressSchema,
      /** Base units of the stablecoin. */
      pricePerGib: uintSchema(53),
      /** MiB a second that are sold in all: the devices of the ask. */
      mibPerSecond: z.int().min(1).max(1_024).default(1_024),
      /** Of one lease. */
      maxSeconds: z
        .int()
        .min(60)
        .max(7 * 86_400)
        .default(86_400),
      closeWindow: z
        .int()
        .min(900)
        .max(7 * 86_400)
        .default(3_600),
      /** Seconds that vouchers run ahead, and that are relayed after a stop before the book hears of it. */
      prepay: z.int().min(8).max(60).default(10),
    })
    .optional(),
  /** URLs of keepers, and of watchtowers, that bring its vouchers and claims to the chain. */
  keepers: z.array(z.url().max(500)).max(8).default([]),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});
export type BookOptions = z.infer<typeof bookOptionsSchema>;
export type BookOptionsInput = z.input<typeof bookOptionsSchema>;
