import {
  hex32Schema,
  type LeaseId,
  type LeaseTerms,
  leaseIdSchema,
  leaseTermsSchema,
  MAX_MEMBERS,
  memberSchema,
  rosterSchema,
  uintSchema,
} from '@latent/protocol';
import { z } from 'zod';
import type { ChainEvent, FollowedLease, LeaseChange } from './follower.ts';

const secondsSchema = z
  .int()
  .min(0)
  .max(2 ** 40 - 1);
const unitsSchema = z.array(uintSchema(96)).max(MAX_MEMBERS);

const paidSchema = z.object({ units: unitsSchema, charged: uintSchema(256) });
const stoppingSchema = z.object({ stopAt: secondsSchema });
const closedSchema = z.object({ charged: uintSchema(256), refund: uintSchema(256) });
const changedSchema = z.object({ roster: rosterSchema, added: z.array(memberSchema).max(MAX_MEMBERS) });

const optional = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullish().transform((value): z.output<Schema> | undefined => value ?? undefined);

/** A lease as it is kept: JSON, whose `bigint`s are decimal text. */
export const followedLeaseSchema: z.ZodType<FollowedLease> = z.object({
  leaseId: leaseIdSchema,
  state: z.enum(['active', 'stopping', 'closed', 'unknown']),
  terms: optional(leaseTermsSchema),
  openedAt: secondsSchema,
  members: z.array(memberSchema),
  roster: optional(rosterSchema),
  paidUnits: unitsSchema,
  charged: uintSchema(256),
  stopAt: optional(secondsSchema),
  closed: optional(closedSchema.extend({ timestamp: secondsSchema })),
  changes: z.array(changedSchema.extend({ block: uintSchema(64), timestamp: secondsSchema })),
  events: z.array(
    z.object({
      name: z.string(),
      block: uintSchema(64),
      transaction: hex32Schema,
      timestamp: secondsSchema,
    }),
  ),
});

interface Progress {
  terms?: LeaseTerms;
  openedAt: number;
  paidUnits: readonly bigint[];
  charged: bigint;
  stopAt?: number;
  closed?: NonNullable<FollowedLease['closed']>;
  changes: LeaseChange[];
}

/**
 * What the events of one lease come to. An event that does not fit its schema changes nothing but is listed.
 * @param events of this lease, in the chain's order
 * @returns undefined if there is none
 */
export function projectLease(leaseId: LeaseId, events: readonly ChainEvent[]): FollowedLease | undefined {
  if (events.length === 0) return undefined;
  const progress: Progress = { openedAt: 0, paidUnits: [], charged: 0n, changes: [] };
  for (const event of events) take(progress, event);
  const { terms, stopAt, closed, changes } = progress;
  return {
    leaseId,
    state: stateOf(progress),
    terms,
    openedAt: progress.openedAt,
    members: [...(terms?.members ?? []), ...changes.flatMap(({ added }) => added)],
    roster: changes.at(-1)?.roster,
    paidUnits: progress.paidUnits,
    charged: progress.charged,
    stopAt,
    closed,
    changes,
    events: events.map(({ name, raw, timestamp }) => ({
      name: name ?? '',
      block: raw.blockNumber,
      transaction: raw.transactionHash,
      timestamp,
    })),
  };
}

function stateOf({ terms, stopAt, closed }: Progress): FollowedLease['state'] {
  if (terms === undefined) return 'unknown';
  if (closed !== undefined) return 'closed';
  return stopAt === undefined ? 'active' : 'stopping';
}

function take(progress: Progress, { name, args, raw, timestamp }: ChainEvent): void {
  switch (name) {
    case 'Opened': {
      const terms = leaseTermsSchema.safeParse(args);
      if (terms.success) Object.assign(progress, { terms: terms.data, openedAt: timestamp });
      return;
    }
    case 'Paid': {
      const paid = paidSchema.safeParse(args);
      if (paid.success) Object.assign(progress, { paidUnits: paid.data.units, charged: paid.data.charged });
      return;
    }
    case 'Stopping': {
      const stopping = stoppingSchema.safeParse(args);
      if (stopping.success) progress.stopAt = stopping.data.stopAt;
      return;
    }
    case 'Closed': {
      const closed = closedSchema.safeParse(args);
      if (!closed.success) return;
      progress.closed = { ...closed.data, timestamp };
      progress.charged = closed.data.charged;
      return;
    }
    case 'Changed': {
      const changed = changedSchema.safeParse(args);
      if (changed.success) progress.changes.push({ ...changed.data, block: raw.blockNumber, timestamp });
      return;
    }
    default:
      return;
  }
}
