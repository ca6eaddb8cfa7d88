import { LEFT } from '../../messages/roster.ts';
import { unsignedClaims } from './audit-payment.ts';
import type { CheckList } from './check.ts';
import type { LeaseCall, LeaseEvidence, LeaseLogEntry } from './lease-evidence.ts';
import { owedUp, type Standing, type StandingMember } from './lease-standing.ts';

export type LeaseChangeEntry = Extract<LeaseLogEntry, { kind: 'changed' }>;

interface ChangeSources {
  readonly evidence: Pick<LeaseEvidence, 'domain' | 'leaseId'>;
  readonly calls: readonly LeaseCall[] | undefined;
}

/**
 * Holds a change to the rules of the escrow and to what the renter, or the member that left, asked for.
 * @returns the standing after it
 */
export async function auditChange(
  list: CheckList,
  before: Standing,
  entry: LeaseChangeEntry,
  { evidence, calls }: ChangeSources,
): Promise<Standing> {
  const name = `change in block ${entry.place.block}`;
  const { roster, added, place } = entry;
  const known = before.members.length;
  list.same(`${name}: members that the lease was opened with`, roster.opened, before.terms.members.length);
  list.same(`${name}: members in all`, roster.from.length, known + added.length);
  list.same(`${name}: clocks begin`, roster.from, [
    ...before.members.map(({ from }) => from),
    ...added.map(() => place.time),
  ]);
  const left = leaversOf(before, entry);
  const standing = moved(before, entry, left);
  const ends = roster.until.map((until, index) => {
    const was = before.members[index]?.until ?? 0;
    if (until === was) return was;
    if (until === LEFT) return LEFT;
    // Dismissed now: it serves a prepay longer.
    return was === 0 && index < known && before.stopAt === 0 ? place.time + before.terms.order.prepay : was;
  });
  list.same(`${name}: clocks end`, roster.until, ends);
  const isLeave = left.length > 0;
  list.holds(`${name}: not shorter than before`, roster.maxSeconds >= before.maxSeconds, `${roster.maxSeconds} s`);
  if (isLeave) {
    list.same(`${name}: deposit, as before`, roster.deposit, before.deposit);
    list.same(`${name}: length, as before`, roster.maxSeconds, before.maxSeconds);
    await auditLeaver(list, name, standing, left, { evidence, calls });
  } else {
    const owed = owedUp(standing);
    list.holds(`${name}: the deposit covers every member`, roster.deposit >= owed, `${roster.deposit} of ${owed}`);
    auditRequest(list, name, before, entry, calls);
  }
  return standing;
}

function leaversOf(before: Standing, { roster }: LeaseChangeEntry): readonly number[] {
  return roster.until.flatMap((until, index) =>
    until === LEFT && before.members[index]?.until !== LEFT ? [index] : [],
  );
}

function moved(before: Standing, { roster, added, place }: LeaseChangeEntry, left: readonly number[]): Standing {
  const joined = added.map((member): StandingMember => {
    return { member, from: place.time, until: 0, leftAt: undefined, paid: 0n };
  });
  const members = [...before.members, ...joined].map((one, index) => ({
    ...one,
    from: roster.from[index] ?? one.from,
    until: roster.until[index] ?? one.until,
    leftAt: left.includes(index) ? place.time : one.leftAt,
  }));
  const { maxSeconds, deposit } = roster;
  return { ...before, isChanged: true, maxSeconds, deposit, members };
}

/** One member leaves at a time, and its agent has signed what it was paid for in all. */
async function auditLeaver(
  list: CheckList,
  name: string,
  standing: Standing,
  left: readonly number[],
  { evidence, calls }: ChangeSources,
): Promise<void> {
  list.same(`${name}: members that leave`, left.length, 1);
  const [index = 0] = left;
  const what = `${name}: member ${index} signed what it leaves with`;
  if (calls === undefined) {
    list.unchecked(what, 'the transaction did not call the escrow itself');
    return;
  }
  const one = standing.members[index];
  const fitting = calls.filter(
    (call) => call.verb === 'leave' && call.member === index && call.claim.units <= (one?.paid ?? 0n),
  );
  const alone = {
    ...standing,
    members: standing.members.map((other) => ({ ...other, until: other === one ? 0 : LEFT })),
  };
  const bad = await Promise.all(
    fitting.map((call) => {
      const claims = standing.members.map((_, at) => (at === index && call.verb === 'leave' ? call.claim : undefined));
      return unsignedClaims(alone, claims, evidence);
    }),
  );
  list.holds(
    what,
    bad.some((members) => members.length === 0),
    `no claim to ${one?.paid} device-seconds or less is signed by it`,
  );
}

/** The roster is what somebody asked for in this transaction. Whose signature that was, the contract has seen to. */
function auditRequest(
  list: CheckList,
  name: string,
  before: Standing,
  { roster }: LeaseChangeEntry,
  calls: readonly LeaseCall[] | undefined,
): void {
  const what = `${name}: it is what was asked for`;
  if (calls === undefined) {
    list.unchecked(what, 'the transaction did not call the escrow itself');
    return;
  }
  const dismissed = roster.until.reduce(
    (bits, until, index) => (until !== (before.members[index]?.until ?? 0) ? bits | (1n << BigInt(index)) : bits),
    0n,
  );
  const asked = calls.flatMap((call) => (call.verb === 'change' ? [inWords(call.change)] : []));
  const done = inWords({ dismissed, maxSeconds: roster.maxSeconds, deposit: roster.deposit });
  list.same(what, done, asked.includes(done) ? done : (asked[0] ?? 'nothing was asked for'));
}

function inWords(change: {
  readonly dismissed: bigint;
  readonly maxSeconds: number;
  readonly deposit: bigint;
}): string {
  return `dismissed ${change.dismissed.toString(2)}, ${change.maxSeconds} s, deposit ${change.deposit}`;
}
