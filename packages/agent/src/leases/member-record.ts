import {
  askIdSchema,
  changedLeaseSchema,
  LEFT,
  leaseIdSchema,
  leaseTermsSchema,
  memberStates,
  peerKeySchema,
  signedCloseSchema,
  signedVoucherSchema,
  uintSchema,
} from '@latent/protocol';
import { z } from 'zod';
import { jobHandleSchema } from '../drivers/saved-handle.ts';

const jobExitSchema = z.object({ code: z.int(), reason: z.string().exactOptional() });

/** What the renter asked to be run; kept so that an agent that was killed can go on where it was. */
const jobSchema = z.object({
  rank: z.int(),
  setup: z.string(),
  run: z.string(),
  image: z.string().optional(),
  env: z.record(z.string(), z.string()),
});

/** Who is in the lease's private network, from a plan that was checked: by which key each rank's agent is reached, and where. */
const networkSchema = z.object({
  number: z.int(),
  /** Our own. */
  rank: z.int(),
  ranks: z.array(z.object({ rank: z.int(), peerKey: peerKeySchema, hints: z.array(z.string()) })),
});
export type PlannedNetwork = z.infer<typeof networkSchema>;

/** A process that the driver started for a member, and how it ended. */
const stepSchema = z.object({ handle: jobHandleSchema, exit: jobExitSchema.nullable() });

/** A member as its agent stores it. Written before it is acted on. */
export const memberRecordSchema = z.object({
  leaseId: leaseIdSchema,
  /** Our place in the lease's members. */
  index: z.int(),
  ask: askIdSchema,
  /** As the lease was opened: what its id is made of. */
  terms: leaseTermsSchema,
  /** What the lease was changed to, as the escrow recorded it when the agent last looked. */
  changed: changedLeaseSchema.exactOptional(),
  /** Unix seconds, from the chain. */
  openedAt: z.int(),
  /** The transport key that may act for the lease. */
  peerKey: peerKeySchema,
  state: z.enum(memberStates),
  /** Why it stopped. */
  reason: z.string().nullable(),
  job: jobSchema.nullable(),
  /** Missing where the job shares the network of the machine. */
  network: networkSchema.exactOptional(),
  setup: stepSchema.nullable(),
  run: stepSchema.nullable(),
  /** Surroundings for the renter's commands once the job has ended; made when the first one comes. */
  shell: stepSchema.exactOptional(),
  /** Unix milliseconds; 0 before it runs. */
  startedAtMs: z.int(),
  /** When the agent last saw it running, for the case that the machine dies under it. */
  lastSeenMs: z.int(),
  /** Device-seconds, fixed when the member stops. */
  deliveredUnits: uintSchema(96),
  voucher: signedVoucherSchema.nullable(),
  claim: signedCloseSchema.nullable(),
});
export type MemberRecord = z.infer<typeof memberRecordSchema>;
export type StepName = 'setup' | 'run' | 'shell';

/** What is stored of a lease that has been opened, before anything runs. */
export function attachedRecord(
  opened: Pick<MemberRecord, 'leaseId' | 'index' | 'terms' | 'changed' | 'openedAt' | 'peerKey'>,
): MemberRecord {
  const ask = membersOf(opened)[opened.index]?.ask;
  if (ask === undefined) throw new RangeError(`lease ${opened.leaseId} has no member ${opened.index}`);
  return {
    ...opened,
    ask,
    state: 'attached',
    reason: null,
    job: null,
    setup: null,
    run: null,
    startedAtMs: 0,
    lastSeenMs: 0,
    deliveredUnits: 0n,
    voucher: null,
    claim: null,
  };
}

/** All members of the lease, those that left too. */
export function membersOf({ terms, changed }: Pick<MemberRecord, 'terms' | 'changed'>) {
  return changed?.members ?? terms.members;
}

/** Our member of the lease. No need to check the index: the record was made with one that exists. */
export function memberOf(record: MemberRecord) {
  const member = membersOf(record)[record.index];
  if (member === undefined) throw new RangeError(`lease ${record.leaseId} has no member ${record.index}`);
  return member;
}

/** Everything that the driver has started for the member. */
export function startedSteps({ setup, run, shell }: MemberRecord) {
  return [setup, run, shell].flatMap((step) => step ?? []);
}

/** Device-seconds that the last voucher covers. */
export function coveredUnits(record: MemberRecord): bigint {
  return record.voucher?.units[record.index] ?? 0n;
}

/** When our part of the lease ends by itself, in unix seconds of the chain: with the lease, or when we were dismissed. */
export function leaseEndSeconds(record: MemberRecord): number {
  const roster = record.changed?.roster;
  const end = record.openedAt + (roster?.maxSeconds ?? record.terms.order.maxSeconds);
  return Math.min(end, dismissedAtSeconds(record) ?? end);
}

/** When our clock ends, or ended, because the renter dismissed us; in unix seconds of the chain. */
export function dismissedAtSeconds({ changed, index }: Pick<MemberRecord, 'changed' | 'index'>): number | undefined {
  const until = changed?.roster.until[index] ?? 0;
  return until > LEFT ? until : undefined;
}

/** The escrow has paid us out and freed our devices; the rest of the lease goes on without us. */
export function hasLeft({ changed, index }: Pick<MemberRecord, 'changed' | 'index'>): boolean {
  return changed?.roster.until[index] === LEFT;
}
