import { z } from 'zod';
import { leaseIdSchema } from '../ids.ts';
import { askSchema, resourceSchema } from '../messages/ask.ts';
import { MAX_MEMBERS } from '../messages/order.ts';

/** Every private network has the same addresses: none sees another, and ranks find each other without asking. */
export const NETWORK_PREFIX_LENGTH = 16;
const NETWORK_PREFIX = '100.84';
/** Name of the device in the job's network namespace. */
export const NETWORK_INTERFACE = 'latent0';
/** Highest rank that has an address. */
export const MAX_RANK = 4096;

/** Address of a rank in its cluster's private network, e.g. `100.84.0.1` for rank 0. Ranks go from 0 to {@link MAX_RANK}. */
export function networkAddress(rank: number): string {
  const host = rank + 1;
  return `${NETWORK_PREFIX}.${host >> 8}.${host & 0xff}`;
}

/** Name of a rank in its cluster's private network. */
export function networkName(rank: number): string {
  return `rank-${rank}.cluster`;
}

const rankSchema = z.int().min(0).max(MAX_RANK);

/** The most that a plan may hold; the same as a lease has at its opening. */
const rankOfPlanSchema = z.object({ rank: rankSchema, ask: askSchema, resource: resourceSchema });

/**
 * Who is in a lease's private network: of each rank the ask that its member was leased by, and the resource of that ask, which
 * says by which key and where its agent is reached. An agent checks both against the lease, so a renter cannot have it talk to
 * anybody else. A plan of a higher number replaces one before it.
 */
export const networkPlanSchema = z.object({
  number: z.int().min(1).max(0xffffffff),
  ranks: z
    .array(rankOfPlanSchema)
    .min(1)
    .max(MAX_MEMBERS)
    .refine((ranks) => new Set(ranks.map(({ rank }) => rank)).size === ranks.length, 'a rank is there twice'),
});
export type NetworkPlan = z.infer<typeof networkPlanSchema>;

/** `plan`: a renter tells an agent who is in the private network of the lease; before `start`. Idempotent. */
export const planParamsSchema = z.object({ leaseId: leaseIdSchema, plan: networkPlanSchema });

/**
 * `network`: an agent opens its way to another one of the same lease; after the answer, the stream carries what the members send each
 * other. Let in only if the caller proved the key that the plan has for rank `from`, and while the member `to` lives.
 */
export const networkParamsSchema = z.object({ leaseId: leaseIdSchema, from: rankSchema, to: rankSchema });

/** Whether jobs in a private network reach the internet besides: its public IPv4 addresses, and nothing of the machine's own network. */
export const egressAbilitySchema = z.discriminatedUnion('usable', [
  z.object({ usable: z.literal(true) }),
  z.object({ usable: z.literal(false), reason: z.string().max(300) }),
]);
export type EgressAbility = z.infer<typeof egressAbilitySchema>;

/** Whether an agent's jobs can be in a private network. An agent that does not speak of a way out has none. */
export const networkAbilitySchema = z.discriminatedUnion('usable', [
  z.object({ usable: z.literal(true), egress: egressAbilitySchema.exactOptional() }),
  z.object({ usable: z.literal(false), reason: z.string().max(300) }),
]);
export type NetworkAbility = z.infer<typeof networkAbilitySchema>;

/** How a member reaches the others of its private network. */
export const networkStatusSchema = z.object({
  /** Other ranks there are. */
  others: z.int().min(0).max(MAX_MEMBERS),
  /** Those that are reached directly, and those by way of a book. The rest is not reached at present. */
  direct: z.int().min(0).max(MAX_MEMBERS),
  relayed: z.int().min(0).max(MAX_MEMBERS),
  /** The longest round trip to one of them, in milliseconds. */
  slowestMs: z.number().min(0).optional(),
});
export type NetworkStatus = z.infer<typeof networkStatusSchema>;
