import { addressSchema, deploymentSchema, uintSchema } from '@latent/protocol';
import { z } from 'zod';

const accountsSchema = z.array(addressSchema).min(1).max(1_000);
/** For whom it works: accounts of operators (and of renters, whose refunds it sees to), or everybody. */
const forSchema = z.union([z.literal('all'), accountsSchema]);

/** What keepers and watchtowers have in common. Amounts are text, in base units of the stablecoin or in wei. */
const shared = {
  deployment: deploymentSchema,
  /** RPC endpoints of the chain, the preferred one first; those of the deployment alone unless given. Two that are
   * independent of each other are the least that a lie can be noticed with. */
  endpoints: z.array(z.url().max(500)).min(1).max(16).optional(),
  /** Databases, the key that pays for gas, log. Created with mode 0700. */
  dataDir: z.string().min(1).max(1024),
  for: forSchema,
  /** Most wei that are spent in 24 hours. Without it, as much as it is worth to those it works for. */
  budgetWeiPerDay: uintSchema(128).optional(),
  /** What one ether costs, in base units. There is no oracle: gas is weighed against money by this. */
  unitsPerEther: uintSchema(96)
    .refine((value) => value > 0n, 'not above 0')
    .default(3_000_000_000n),
  /** IP address and port to serve on; port 0 for any free one. */
  address: z.string().max(64).default('127.0.0.1'),
  port: z.int().min(0).max(65_535).default(0),
  /** How long the parties of a lease have to do it themselves; at most a quarter of the closing window. */
  patienceSeconds: z.int().min(0).max(86_400),
  /** Those who watch the same lease take their turns within so long; at most an eighth of the closing window. */
  spreadSeconds: z.int().min(0).max(3_600).default(60),
  /** How many blocks have to lie upon a transaction until it counts. */
  confirmations: z.int().min(0).max(1_000).default(3),
  /** How often it looks at the chain. */
  pollMs: z.int().min(100).max(60_000).default(2_000),
  /** Most leases that papers are kept of. */
  maxLeases: z.int().min(1).max(1_000_000).default(10_000),
  /** HTTP requests a minute from one IP address, and altogether; papers a minute for one lease. */
  requestsPerMinute: z.int().min(1).max(1_000_000).default(600),
  requestsPerMinuteInAll: z.int().min(1).max(10_000_000).default(30_000),
  papersPerMinute: z.int().min(1).max(100_000).default(120),
  /** Most rows, and most gas, of one transaction. */
  mostRows: z.int().min(1).max(256).default(64),
  mostGas: z.int().min(100_000).max(16_777_216).default(12_000_000),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
} as const;

const budgetForAll = {
  check: (options: { readonly for: 'all' | readonly string[]; readonly budgetWeiPerDay?: bigint | undefined }) =>
    options.for !== 'all' || options.budgetWeiPerDay !== undefined,
  fault: { message: 'has to be set where it works for all', path: ['budgetWeiPerDay'] },
};

/** What somebody who runs a keeper decides. One JSON file; `deployment`, `dataDir` and `for` have no default. */
export const keeperOptionsSchema = z
  .strictObject({
    ...shared,
    patienceSeconds: shared.patienceSeconds.default(300),
    /** While a lease runs, it is checkpointed once so much has not been paid out: $20. */
    minWorth: uintSchema(96).default(20_000_000n),
    /** And not before that is so many times the cost of the gas. */
    gasTimes: z.int().min(1).max(1_000_000).default(1_000),
    /** What was not paid for so long is, if it pays for itself. */
    maxAgeSeconds: z
      .int()
      .min(60)
      .max(366 * 86_400)
      .default(86_400),
    /** That a machine is free again is worth so many seconds of its price. */
    freedSeconds: z.int().min(0).max(86_400).default(3_600),
  })
  .refine(budgetForAll.check, budgetForAll.fault);
export type KeeperOptions = z.infer<typeof keeperOptionsSchema>;
export type KeeperOptionsInput = z.input<typeof keeperOptionsSchema>;

/** What somebody who runs a watchtower decides. */
export const watchtowerOptionsSchema = z
  .strictObject({ ...shared, patienceSeconds: shared.patienceSeconds.default(600) })
  .refine(budgetForAll.check, budgetForAll.fault);
export type WatchtowerOptions = z.infer<typeof watchtowerOptionsSchema>;
export type WatchtowerOptionsInput = z.input<typeof watchtowerOptionsSchema>;

/** Settings of either. */
export type WatchOptions = KeeperOptions | WatchtowerOptions;
