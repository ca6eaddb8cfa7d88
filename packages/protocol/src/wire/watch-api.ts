import { z } from 'zod';
import { addressSchema, hex32Schema, leaseIdSchema, uintSchema } from '../ids.ts';
import { signedCloseSchema } from '../messages/agreement.ts';
import { signedVoucherSchema } from '../messages/voucher.ts';

/** What keepers and watchtowers take and answer over HTTP. */

/** Largest body that they accept: a voucher for 128 members has some 6 KB. */
export const MAX_WATCH_REQUEST_BYTES = 16 * 1024;
/** Largest answer that a client reads. */
export const MAX_WATCH_ANSWER_BYTES = 256 * 1024;
/** Most deeds in a status. */
const MAX_DEEDS = 50;

/** `POST /v1/vouchers` */
export const voucherHandedSchema = z.strictObject({ ...signedVoucherSchema.shape });

/** `POST /v1/closes` and `POST /v1/leavings`, of keepers only: the claim of one member. */
export const claimHandedSchema = z.strictObject({ ...signedCloseSchema.shape });

/** Answer to both. It is on the disk of whoever took it. `known`: it was there, or something better is. */
export const paperTakenSchema = z.object({ leaseId: leaseIdSchema, state: z.enum(['kept', 'known']) });
export type PaperTaken = z.infer<typeof paperTakenSchema>;

/** One transaction, or what became of the wish for one. */
export const watchDeedSchema = z.object({
  id: z.int().min(1),
  deed: z.enum(['checkpoint', 'close', 'leave', 'finalize']),
  leases: z.array(leaseIdSchema).max(256),
  /** Unix milliseconds. */
  startedAtMs: z.int(),
  /** `open`: under way. `done`: by us; `done-by-others`: without us; `failed`: see `problem`. */
  state: z.enum(['open', 'done', 'done-by-others', 'failed']),
  /** Base units that it was worth to those it was done for when it was decided. */
  worth: uintSchema(128),
  /** The most wei that it may cost, and what it has cost. */
  mostWei: uintSchema(256),
  spentWei: uintSchema(256),
  hash: hex32Schema.nullable(),
  problem: z.string().max(500).nullable(),
});
export type WatchDeed = z.infer<typeof watchDeedSchema>;

/** `GET /v1/status` */
export const watchStatusSchema = z.object({
  kind: z.enum(['keeper', 'watchtower']),
  chainId: z.int(),
  escrow: addressSchema,
  /** Pays the gas. */
  account: addressSchema,
  /** For whom it works. */
  for: z.union([z.literal('all'), z.array(addressSchema).max(1_000)]),
  /** Unix seconds of the newest block that it has seen; null before the first. */
  chainSeconds: z.int().nullable(),
  head: uintSchema(64).nullable(),
  leases: z.int().min(0),
  vouchers: z.int().min(0),
  claims: z.int().min(0),
  spentWeiToday: uintSchema(256),
  /** What hinders it now. */
  problems: z.array(z.string().max(500)).max(16),
  /** The newest first. */
  deeds: z.array(watchDeedSchema).max(MAX_DEEDS),
});
export type WatchStatus = z.infer<typeof watchStatusSchema>;
