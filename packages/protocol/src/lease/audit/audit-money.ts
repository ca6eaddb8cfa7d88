import { type Address, zeroAddress } from 'viem';
import type { Order } from '../../messages/order.ts';
import type { CheckList } from './check.ts';
import type { LeaseEvidence, LeaseTransaction, Place } from './lease-evidence.ts';
import type { Standing } from './lease-standing.ts';

/** One movement of a lease's deposit, in base units. */
export interface DepositMove {
  readonly kind: 'opened' | 'raised' | 'lowered' | 'refunded';
  readonly amount: bigint;
  readonly place: Place;
}

/** Holds money that went into a lease to the token's own transfers. */
export function auditFunding(list: CheckList, name: string, { escrow, order, amount, transaction }: Funding): void {
  const { renter, session } = order;
  const what = `${name}: the token moved ${amount} from the renter to the escrow`;
  const isMoved = transaction?.movements.some(
    (one) => one.kind === 'transfer' && one.from === renter && one.to === escrow && one.amount === amount,
  );
  const ways = transaction?.calls?.flatMap((call) => ('from' in call ? [call.from] : []));
  if (isMoved === true) list.holds(what, true, '');
  else if (session !== zeroAddress || ways?.includes('balance') === true) {
    list.unchecked(what, "it came from the renter's balance in the escrow, which leaves no event");
  } else if (ways === undefined) {
    list.unchecked(what, 'no such transfer, by a transaction that did not call the escrow itself');
  } else list.holds(what, false, 'the transaction has no such transfer');
}

interface Funding {
  readonly escrow: Address;
  readonly order: Order;
  readonly amount: bigint;
  readonly transaction: LeaseTransaction | undefined;
}

interface GivenBack {
  readonly evidence: Pick<LeaseEvidence, 'domain'>;
  readonly before: Standing;
  readonly amount: bigint;
  readonly transaction: LeaseTransaction | undefined;
}

/** What was freed went to the renter, or into its balance where the token refuses; into the balance too, but without an event, where a session opened the lease. */
export function auditCredit(list: CheckList, name: string, { evidence, before, amount, transaction }: GivenBack): void {
  const { renter, session } = before.terms.order;
  const { escrow } = evidence.domain;
  const what = `${name}: ${amount} went to the renter`;
  if (session !== zeroAddress) {
    list.unchecked(what, "it stays in the renter's balance in the escrow, which leaves no event");
    return;
  }
  const movements = transaction?.movements ?? [];
  const isIn = (kind: 'transfer' | 'credit') =>
    movements.some((one) => one.kind === kind && one.from === escrow && one.to === renter && one.amount === amount);
  const isGiven = isIn('credit') || isIn('transfer');
  list.holds(what, isGiven, 'the transaction has no such transfer and no such credit');
}

export function auditRefund(list: CheckList, given: GivenBack): void {
  if (given.amount > 0n) auditCredit(list, 'refund', given);
}
