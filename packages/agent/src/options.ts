import { deploymentSchema, imageReferenceSchema, uintSchema } from '@latent/protocol';
import { z } from 'zod';

/**
 * What an operator decides. Read from one JSON file; every field but the first four has a default that suits a machine
 * which joins with one command. Secrets are files in `dataDir`, never settings.
 */
export const agentOptionsSchema = z.strictObject({
  deployment: deploymentSchema,
  /** Books that the ask is published to, e.g. `http://127.0.0.1:7001`. */
  books: z.array(z.url().max(120)).min(1).max(7),
  /** Keys, database, logs and the jobs' folders. Created with mode 0700. */
  dataDir: z.string().min(1).max(1024),
  /** Base units of the stablecoin per device-hour. */
  pricePerDeviceHour: uintSchema(64),
  region: z.string().regex(/^[a-z0-9-]{1,32}$/, 'not a region like eu-west'),
  site: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/, 'not a site name')
    .default('home'),
  /** IP address that jobs bind. */
  address: z.string().max(64).default('127.0.0.1'),
  /** How renters reach this machine. `peer`: by UDP through any NAT, or through a book; `tcp`: at a port that they can reach. */
  transport: z.enum(['peer', 'tcp']).default('peer'),
  /** IP address that the transport binds; by default every one of the machine. */
  listenAddress: z.string().max(64).default('0.0.0.0'),
  /** Port of the transport, UDP or TCP; 0 for any free one, which is kept from then on. */
  port: z.int().min(0).max(65_535).default(0),
  /** What of the machine is on offer; by default all cores and three quarters of the memory. */
  cpuCores: z.int().min(1).max(0xffff).optional(),
  memoryMiB: z.int().min(64).max(0xffffffff).optional(),
  /**
   * `auto` takes the sandbox, or where that does not work a container engine if `dockerImage` is set. `process` and `mock` isolate
   * nothing and need `allowWithoutIsolation`.
   */
  driver: z.enum(['auto', 'sandbox', 'docker', 'process', 'mock']).default('auto'),
  /** Socket of Docker or Podman; by default the first of the usual ones that answers. */
  dockerSocket: z.string().startsWith('/').max(100).optional(),
  /** Image of jobs that name none; by default those are refused. */
  dockerImage: imageReferenceSchema.optional(),
  /** The engine's network that jobs join, never the machine's own. */
  dockerNetwork: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/, 'not the name of a network')
    .refine((name) => name !== 'host', 'is the machine’s own network')
    .default('bridge'),
  /** Whether jobs in a private network reach the internet besides; `egressRefused`: IPv4 ranges there that they do not, such as a router's. */
  egress: z.boolean().default(true),
  egressRefused: z.array(z.cidrv4()).max(256).default([]),
  allowWithoutIsolation: z.boolean().default(false),
  /** Folders lent read-only to jobs; their `bin` joins the job's PATH. */
  toolchains: z.array(z.string().max(1024)).max(16).default([]),
  /** Most that images of jobs may take up below `dataDir`, and most that one may have; bytes, packed and unpacked. */
  imageCacheBytes: z
    .int()
    .min(1 << 20)
    .max(2 ** 50)
    .default(50 * 2 ** 30),
  /** Whether renters may have images fetched from this machine and its own network, from the former by plain http. */
  localRegistries: z.boolean().default(false),
  /** Longest lease in seconds. */
  maxSeconds: z
    .int()
    .min(60)
    .max(366 * 86_400)
    .default(7 * 86_400),
  /** Seconds of vouchers wanted in advance; what either side can lose. */
  prepay: z.int().min(2).max(60).default(10),
  /** Seconds after a stop in which the last voucher can still be posted. */
  closeWindow: z
    .int()
    .min(900)
    .max(7 * 86_400)
    .default(3_600),
  maxFeeBps: z.int().min(0).max(50).default(50),
  /** How long an ask is valid before it is signed anew. */
  askSeconds: z.int().min(60).max(86_400).default(86_400),
  /** How long a renter whose job has ended here has to close the lease, before the agent leaves it with its pay. */
  patienceSeconds: z.int().min(1).max(600).default(60),
  /**
   * Watchtowers and keepers that the newest voucher of each lease is handed to, so that it is posted even while this machine
   * is away. They can have this operator paid with it, and nothing else.
   */
  watchtowers: z.array(z.url().max(500)).max(8).default([]),
  /** Each of them gets a lease's newest voucher at most so often; the last one at once. */
  handOnSeconds: z.int().min(1).max(3_600).default(30),
  /** How long a hold keeps the machine free. */
  holdSeconds: z.int().min(5).max(300).default(30),
  /** End this machine's part in every lease, take no new one, and end the agent when none is left. */
  leaving: z.boolean().default(false),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});
export type AgentOptions = z.infer<typeof agentOptionsSchema>;
export type AgentOptionsInput = z.input<typeof agentOptionsSchema>;
