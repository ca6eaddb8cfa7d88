import {
  jobPhaseSchema,
  leaseIdSchema,
  leaseTermsSchema,
  memberStates,
  networkStatusSchema,
  signedAskSchema,
  signedVoucherSchema,
  uintSchema,
} from '@latent/protocol';
import { z } from 'zod';

const hexSchema = z.custom<`0x${string}`>(
  (value) => typeof value === 'string' && /^0x[0-9a-f]+$/.test(value),
  'not hex',
);

/**
 * The life of a cluster, as its renter stores it.
 *
 *   opening ──▶ starting ──▶ running ──▶ ending ──▶ ended
 *      │            │                      ▲ │
 *      │            └──────────────────────┘ └──▶ awaiting-window ──▶ ended
 *      └──▶ ended (the lease was never opened)
 *
 * `awaiting-window`: a member did not sign its claim, so the rest of the deposit comes back after the closing window.
 */
export const clusterPhases = ['opening', 'starting', 'running', 'ending', 'awaiting-window', 'ended'] as const;
export type ClusterPhase = (typeof clusterPhases)[number];

/** What the meter last knew of a member. */
const memberViewSchema = z.object({
  state: z.enum([...memberStates, 'unknown', 'lost']),
  reason: z.string().nullable(),
  job: jobPhaseSchema,
  /** Where the other ranks reach this one; empty before it attached. */
  address: z.string(),
  /** Unix milliseconds since when the renter counts it; 0 before it runs. */
  countedFromMs: z.int(),
  /** When it last answered. */
  seenAtMs: z.int(),
  deliveredUnits: uintSchema(96),
  cpuSeconds: z.number(),
  memoryBytes: z.number(),
  /** How its agent was reached when it last answered: directly or through a book. */
  route: z
    .object({ kind: z.enum(['direct', 'relayed']), through: z.string(), roundTripMs: z.number().exactOptional() })
    .exactOptional(),
  /** How it reached the other ranks over the private network when it last answered. */
  network: networkStatusSchema.exactOptional(),
});
export type MemberView = z.infer<typeof memberViewSchema>;

const transactionNoteSchema = z.object({ kind: z.string(), hash: hexSchema });

/** Everything a renter needs to go on with a cluster after any crash. Holds secrets: stored with mode 0600 only. */
export const clusterRecordSchema = z.object({
  name: z.string(),
  network: z.string(),
  createdAtMs: z.int(),
  phase: z.enum(clusterPhases),
  leaseId: leaseIdSchema,
  terms: leaseTermsSchema,
  asks: z.array(signedAskSchema),
  /** Private key that signs this lease's vouchers and nothing else. */
  meterSecret: hexSchema,
  /** Seed of the transport key that agents know the renter by. */
  peerSeed: hexSchema,
  job: z.object({
    name: z.string(),
    setup: z.string(),
    run: z.string(),
    /** The image that the job runs in. */
    image: z.string().exactOptional(),
    envs: z.record(z.string(), z.string()),
    gpusPerMachine: z.int(),
    outputs: z.array(z.string()),
    taskId: z.string(),
    /** Absolute path of the packed files; empty if the job sends none. */
    archive: z.string(),
    /** Whether the ranks are to be in a private network. Clusters of before there was one are in none. */
    network: z.enum(['private', 'if-possible', 'host']).default('host'),
  }),
  /** Whether the ranks are in a private network; decided once all members have said whether they can. */
  isPrivate: z.boolean().exactOptional(),
  /** Close the lease by itself as soon as the job has ended. */
  downWhenDone: z.boolean(),
  members: z.array(memberViewSchema),
  /** Last one signed. Never replaced by a smaller one. */
  voucher: signedVoucherSchema.nullable(),
  /** Unix seconds, from the chain; missing before it is open. */
  openedAt: z.int().exactOptional(),
  /**
   * Asked for by somebody who is going away: members that run are paid ahead up to `untilMs` (unix milliseconds), in one
   * voucher. `handed` are the ranks that hold it.
   */
  offline: z.object({ untilMs: z.int(), handed: z.array(z.int()) }).exactOptional(),
  /** Since when another meter signs for the lease, in unix milliseconds. This side signs nothing from then on. */
  handedOverAtMs: z.int().exactOptional(),
  /** Set by anybody who wants the cluster to end; the meter acts on it. */
  stopRequested: z.string().nullable(),
  /** Folder that outputs were saved in, once they were. */
  outputsFolder: z.string().nullable(),
  /** How it ended: `done`, or the code of an error. */
  outcome: z.object({ code: z.string(), message: z.string() }).nullable(),
  transactions: z.array(transactionNoteSchema),
});
export type ClusterRecord = z.infer<typeof clusterRecordSchema>;

export function isOver(record: Pick<ClusterRecord, 'phase'>): boolean {
  return record.phase === 'ended' || record.phase === 'awaiting-window';
}

/** Another meter runs: there is nothing to do for one on this side until the cluster is to end. */
export function isMeteredElsewhere(record: Pick<ClusterRecord, 'phase' | 'handedOverAtMs' | 'stopRequested'>): boolean {
  return record.handedOverAtMs !== undefined && record.phase === 'running' && record.stopRequested === null;
}
