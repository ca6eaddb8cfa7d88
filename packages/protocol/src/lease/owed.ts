import type { Member } from '../messages/order.ts';
import { LEFT, type Roster } from '../messages/roster.ts';
import { chargeDown, chargeUp } from '../money/rate.ts';

/** An open lease as the contract knows it. Times in unix seconds of the chain. */
export interface RunningLease {
  /** All members, those that left too. */
  readonly members: readonly Pick<Member, 'devices' | 'rate'>[];
  readonly roster: Roster;
  /** What the last payment recorded; empty if there was none. */
  readonly paidUnits: readonly bigint[];
  readonly openedAt: number;
  /** 0 until it is stopped. */
  readonly stopAt: number;
  readonly prepay: number;
}

/** What is to be changed, as far as it decides what the lease can cost. */
export interface WantedChange {
  /** Places of members. */
  readonly dismissed: readonly number[];
  readonly maxSeconds: number;
  readonly added: readonly Pick<Member, 'devices' | 'rate'>[];
}

/**
 * The least deposit that the contract accepts for a change that is mined at a second, in base units: all that every member
 * can still be paid. Mirrors `Changing._countOwed` and `_join`, bit by bit.
 */
export function owedAt(lease: RunningLease, change: WantedChange, atSeconds: number): bigint {
  const end = endAfter(lease, change);
  const dismissed = new Set(change.dismissed);
  const known = lease.members.map((member, index) => {
    const { devices, rate } = member;
    const until = lease.roster.until[index] ?? 0;
    if (until === LEFT) return chargeDown(lease.paidUnits[index] ?? 0n, rate);
    const from = lease.roster.from[index] || lease.openedAt;
    const ownEnd = dismissed.has(index) ? atSeconds + lease.prepay : until === 0 ? end : until;
    return chargeUp(BigInt(devices) * secondsBetween(from, Math.min(ownEnd, end)), rate);
  });
  const joining = change.added.map(({ devices, rate }) =>
    chargeUp(BigInt(devices) * secondsBetween(atSeconds, end), rate),
  );
  return [...known, ...joining].reduce((sum, charge) => sum + charge, 0n);
}

/**
 * A deposit that the contract accepts whenever the change is mined within these seconds: whoever is dismissed later can be
 * paid more, whoever joins later less.
 * @param toSeconds at least `fromSeconds`, and at most some minutes later: each second is looked at
 */
export function leastDeposit(
  lease: RunningLease,
  change: WantedChange,
  fromSeconds: number,
  toSeconds: number,
): bigint {
  let most = 0n;
  for (let seconds = fromSeconds; seconds <= toSeconds; seconds += 1) {
    const owed = owedAt(lease, change, seconds);
    if (owed > most) most = owed;
  }
  return most;
}

/** `Change.dismissed`: bit i is set for place i. */
export function dismissedBits(places: readonly number[]): bigint {
  return places.reduce((bits, place) => bits | (1n << BigInt(place)), 0n);
}

/** The last second that anything can be charged for. */
function endAfter({ openedAt, stopAt, prepay }: RunningLease, { maxSeconds }: WantedChange): number {
  const end = openedAt + maxSeconds;
  return stopAt === 0 ? end : Math.min(end, stopAt + prepay);
}

function secondsBetween(from: number, until: number): bigint {
  return BigInt(Math.max(0, until - from));
}
