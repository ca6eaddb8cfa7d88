import { concat, encodeAbiParameters, type Hex, keccak256, numberToHex, parseAbiParameters } from 'viem';
import { z } from 'zod';
import { uintSchema } from '../ids.ts';
import { hashMembers, type LeaseTerms, MAX_MEMBERS, memberSchema } from './order.ts';

const seconds = z
  .int()
  .min(0)
  .max(2 ** 40 - 1);

/** `Roster.until` of a member that left: paid what it claimed, devices free. */
export const LEFT = 1;

/** Who is in a lease that was changed while it ran. Field meanings: `ILeaseTypes.Roster`. */
export const rosterSchema = z.object({
  /** Members that the lease was opened with; they come first. */
  opened: z.int().min(1).max(MAX_MEMBERS),
  maxSeconds: seconds,
  deposit: uintSchema(96),
  /** Unix seconds; 0: with the lease. */
  from: z.array(seconds).min(1).max(MAX_MEMBERS),
  /** 0: serves to the end; `LEFT`; else unix seconds. */
  until: z.array(seconds).min(1).max(MAX_MEMBERS),
});
export type Roster = z.infer<typeof rosterSchema>;

/** A lease as it is after changes: all members, those that left too, and the roster beside them. */
export const changedLeaseSchema = z
  .object({ members: z.array(memberSchema).min(1).max(MAX_MEMBERS), roster: rosterSchema })
  .refine(
    ({ members, roster }) => roster.from.length === members.length && roster.until.length === members.length,
    'the roster is not one of these members',
  );
export type ChangedLease = z.infer<typeof changedLeaseSchema>;

/** The roster of a lease that was never changed, as the contract makes it for the first change. */
export function openingRoster({ order, members }: LeaseTerms): Roster {
  const zeros = members.map(() => 0);
  return {
    opened: members.length,
    maxSeconds: order.maxSeconds,
    deposit: order.deposit,
    from: zeros,
    until: zeros,
  };
}

/** What the contract stores of a changed lease: `LeaseEscrow.rosterHash`, and `Change.before` of the next change. */
export function hashRoster({ members, roster }: ChangedLease): Hex {
  const { opened, maxSeconds, deposit, from, until } = roster;
  return keccak256(
    encodeAbiParameters(parseAbiParameters('uint256, uint256, uint256, bytes32, bytes32, bytes32'), [
      BigInt(opened),
      BigInt(maxSeconds),
      deposit,
      hashWords(from),
      hashWords(until),
      hashMembers(members),
    ]),
  );
}

function hashWords(values: readonly number[]): Hex {
  return keccak256(concat(values.map((value) => numberToHex(value, { size: 32 }))));
}
