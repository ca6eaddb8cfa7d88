import { z } from 'zod';
import { addressSchema, askIdSchema, leaseIdSchema, signatureSchema, uintSchema } from '../ids.ts';
import { memberStates } from '../lease/member-machine.ts';
import { signedCloseSchema, signedHoldSchema } from '../messages/agreement.ts';
import { leaseTermsSchema } from '../messages/order.ts';
import { changedLeaseSchema } from '../messages/roster.ts';
import { signedVoucherSchema } from '../messages/voucher.ts';
import { imageReferenceSchema } from './image-reference.ts';
import { MAX_RANK, networkAbilitySchema, networkStatusSchema } from './private-network.ts';

/** Most bytes and entries of the files that a renter sends up, and of what it fetches back. */
export const MAX_FILES_BYTES = 512 * 1024 * 1024;
export const MAX_FILES_ENTRIES = 20_000;

/** `hold`: keep `devices` of an ask free for `renter`. Answer: the signed hold. */
export const holdParamsSchema = z.object({
  ask: askIdSchema,
  renter: addressSchema,
  devices: z.int().min(1).max(1024),
});
export const holdResultSchema = signedHoldSchema;

/**
 * `attach`: present the lease and the meter key's leave for this stream's key. Idempotent. `terms` are those that it was opened
 * with; `changed` is what it was changed to, where it was: an agent that was added since finds itself there.
 */
export const attachParamsSchema = z.object({
  terms: leaseTermsSchema,
  changed: changedLeaseSchema.optional(),
  signature: signatureSchema,
});
export const attachResultSchema = z.object({
  /** Which member of the lease this agent is. */
  index: z.int().min(0),
  /** IP address at which the members of the cluster reach this one where they are in no private network. */
  address: z.string().max(64),
  state: z.enum(memberStates),
  network: networkAbilitySchema,
});

/** `upload`: the files of the job as one tar stream in bytes messages, after the first answer. */
export const leaseParamsSchema = z.object({ leaseId: leaseIdSchema });
export const filesResultSchema = z.object({ entries: z.int().min(0), bytes: z.int().min(0) });
export type FilesResult = z.infer<typeof filesResultSchema>;

const environmentSchema = z
  .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'not a variable name'), z.string().max(32_768))
  .refine((env) => Object.keys(env).length <= 512, 'more than 512 variables');

/** `start`: run `setup`, then `run`. The voucher has to cover the agent's prepay. Answers once accepted; see `status`. */
export const startParamsSchema = z.object({
  leaseId: leaseIdSchema,
  rank: z.int().min(0).max(MAX_RANK),
  setup: z.string().max(65_536),
  run: z.string().max(65_536),
  /** The image whose files the job sees as its system; without it, it sees the machine's. */
  image: imageReferenceSchema.optional(),
  env: environmentSchema,
  voucher: signedVoucherSchema,
});
export type StartParams = z.infer<typeof startParamsSchema>;

/** What became of the job's main process. */
export const jobPhaseSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('none') }),
  /** Its image is being fetched; `totalBytes` is 0 before it is known. */
  z.object({ kind: z.literal('image'), doneBytes: z.int().min(0), totalBytes: z.int().min(0) }),
  z.object({ kind: z.literal('setup') }),
  z.object({ kind: z.literal('running') }),
  z.object({ kind: z.literal('exited'), code: z.int(), reason: z.string().max(500).optional() }),
]);
export type JobPhase = z.infer<typeof jobPhaseSchema>;

/** `status` */
export const memberStatusSchema = z.object({
  leaseId: leaseIdSchema,
  index: z.int().min(0),
  state: z.enum(memberStates),
  /** Why it is in this state, where that is not obvious (e.g. `VOUCHER_STOPPED: …`). */
  reason: z.string().max(500).optional(),
  job: jobPhaseSchema,
  /** Unix milliseconds since when it is metered; 0 before. */
  startedAtMs: z.int().min(0),
  deliveredUnits: uintSchema(96),
  coveredUnits: uintSchema(96),
  cpuSeconds: z.number().min(0),
  memoryBytes: z.number().min(0),
  /** Missing where the member is in no private network. */
  network: networkStatusSchema.exactOptional(),
});
export type MemberStatus = z.infer<typeof memberStatusSchema>;

/** `voucher` */
export const voucherResultSchema = z.object({ deliveredUnits: uintSchema(96), coveredUnits: uintSchema(96) });

/** `held`: the last voucher that this agent was given for the lease; a renter whose records are an old copy goes on from it. */
export const heldResultSchema = z.object({ voucher: signedVoucherSchema.nullable() });

/** `logs`: after the answer, bytes messages of the job's output from byte `offset` on; ends with the job when following. */
export const logsParamsSchema = z.object({
  leaseId: leaseIdSchema,
  offset: z.int().min(0),
  follow: z.boolean(),
});

/**
 * `exec`: after the answer, bytes messages to the agent are standard input; bytes messages back begin with one byte,
 * 1 for standard output and 2 for standard error; the last message back is JSON {@link execExitSchema}.
 */
export const execParamsSchema = z.object({
  leaseId: leaseIdSchema,
  argv: z.array(z.string().max(32_768)).min(1).max(256),
  env: environmentSchema,
});
export const execExitSchema = z.object({ code: z.int(), reason: z.string().max(500).optional() });

/** `fetch`: after the answer, a tar stream of these paths below the job's folder; the last message is {@link filesResultSchema}. */
export const fetchParamsSchema = z.object({
  leaseId: leaseIdSchema,
  paths: z.array(z.string().min(1).max(1024)).min(1).max(256),
});

/** `stop`: end the job and the meter. Idempotent. */
export const stopParamsSchema = z.object({ leaseId: leaseIdSchema, reason: z.string().max(500) });

/** `close`: what the agent claims, signed. Stops the member first. The same answer for ever after. */
export const closeResultSchema = signedCloseSchema;
