import { LatentError } from '../../errors/latent-error.ts';
import { hashOrder, type Order, requiredDeposit } from '../../messages/order.ts';
import { checkVoucher, type SignedVoucher } from '../../messages/voucher.ts';
import { auditChange } from './audit-change.ts';
import { auditCredit, auditFunding, auditRefund, type DepositMove } from './audit-money.ts';
import { auditPayment, unsignedClaims } from './audit-payment.ts';
import { type Check, type CheckList, createCheckList } from './check.ts';
import type { LeaseEvidence, LeaseLogEntry, LeaseTransaction, StoredLease } from './lease-evidence.ts';
import { chargedOf, openStanding, type Standing, windowEnd } from './lease-standing.ts';

export interface LeaseAudit {
  readonly checks: readonly Check[];
  /** Nothing that could be recomputed came out otherwise. */
  readonly isRight: boolean;
  /** Where the lease stands, recomputed; undefined if its log has no opening. */
  readonly standing: Standing | undefined;
  /** Every movement of its deposit, in order. */
  readonly deposits: readonly DepositMove[];
}

/** What is carried from event to event. */
interface Course {
  readonly list: CheckList;
  readonly evidence: LeaseEvidence;
  readonly voucher: SignedVoucher | undefined;
  readonly deposits: DepositMove[];
}

/**
 * Recomputes a lease from its events, one after the other, as the contract has to have done it, and compares every figure
 * with what the chain states. Pure: same evidence, same checks, for anybody.
 * @param voucher the last one that the renter holds; without it, only what was presented on the chain is known
 */
export async function auditLease(evidence: LeaseEvidence, voucher: SignedVoucher | undefined): Promise<LeaseAudit> {
  const list = createCheckList();
  const { log } = evidence;
  const [first] = log;
  if (first?.kind !== 'opened') {
    list.holds('the lease was opened', false, 'the log has no opening of this lease, or something before it');
    return { checks: list.checks, isRight: false, standing: undefined, deposits: [] };
  }
  const trusted = await takeVoucher(list, evidence, first.terms, voucher, mostMembers(log));
  const course: Course = { list, evidence, voucher: trusted, deposits: [] };
  let standing = auditOpening(course, first);
  compareSlot(course, standing, log, 0);
  for (const [index, entry] of log.entries()) {
    if (index === 0) continue;
    standing = await auditEntry(course, standing, entry, log[index + 1]);
    compareSlot(course, standing, log, index);
  }
  compareStored(list, 'the slot as of now', evidence.stored, standing);
  const isRight = list.checks.every(({ outcome }) => outcome !== 'wrong');
  return { checks: list.checks, isRight, standing, deposits: course.deposits };
}

function mostMembers(log: readonly LeaseLogEntry[]): number {
  return log.reduce(
    (sum, entry) =>
      sum + (entry.kind === 'opened' ? entry.terms.members.length : entry.kind === 'changed' ? entry.added.length : 0),
    0,
  );
}

/** A voucher counts only if the lease's meter key signed it. */
async function takeVoucher(
  list: CheckList,
  { domain, leaseId }: LeaseEvidence,
  { order }: Extract<LeaseLogEntry, { kind: 'opened' }>['terms'],
  voucher: SignedVoucher | undefined,
  members: number,
): Promise<SignedVoucher | undefined> {
  const what = 'voucher of the file: signed by the meter key';
  if (voucher === undefined) {
    list.unchecked(
      what,
      'no voucher was given: payments are held to the clock and to the vouchers presented on the chain',
    );
    return undefined;
  }
  try {
    list.holds(
      'voucher of the file: for no more members than there are',
      voucher.units.length <= members,
      `${members}`,
    );
    await checkVoucher(domain, { leaseId, order, memberCount: voucher.units.length }, voucher);
    list.holds(what, true, '');
    return voucher;
  } catch (thrown) {
    if (!(thrown instanceof LatentError)) throw thrown;
    list.holds(what, false, thrown.message);
    return undefined;
  }
}

function transactionOf({ evidence }: Course, { place }: LeaseLogEntry): LeaseTransaction | undefined {
  return evidence.transactions.find(({ hash }) => hash === place.transaction);
}

function auditOpening(course: Course, entry: Extract<LeaseLogEntry, { kind: 'opened' }>): Standing {
  const { list, evidence } = course;
  const { terms, place } = entry;
  list.same('lease id, from the terms', evidence.leaseId, hashOrder(evidence.domain, terms));
  const least = requiredDeposit(terms.members, terms.order.maxSeconds);
  list.holds(
    'opening: the deposit covers every member',
    terms.order.deposit >= least,
    `${terms.order.deposit} of ${least}`,
  );
  list.holds('opening: in time', place.time <= terms.order.openBy, `${place.time} is after ${terms.order.openBy}`);
  const { feeBps } = evidence.stored;
  list.holds('opening: fee within what the renter accepted', feeBps <= terms.order.maxFeeBps, `${feeBps}/10,000`);
  course.deposits.push({ kind: 'opened', amount: terms.order.deposit, place });
  fund(course, 'opening', entry, terms.order, terms.order.deposit);
  return openStanding(terms, feeBps, place.time);
}

function fund(course: Course, name: string, entry: LeaseLogEntry, order: Order, amount: bigint): void {
  const { escrow } = course.evidence.domain;
  auditFunding(course.list, name, { escrow, order, amount, transaction: transactionOf(course, entry) });
}

async function auditEntry(
  course: Course,
  before: Standing,
  entry: LeaseLogEntry,
  next: LeaseLogEntry | undefined,
): Promise<Standing> {
  const { list, evidence, voucher } = course;
  const transaction = transactionOf(course, entry);
  const calls = transaction?.calls;
  list.holds(
    `${entry.kind} in block ${entry.place.block}: the lease was open`,
    before.closedAt === undefined,
    'it was closed',
  );
  switch (entry.kind) {
    case 'opened':
      list.holds(`opening in block ${entry.place.block}`, false, 'the lease had been opened before');
      return before;
    case 'paid': {
      const { standing, by } = await auditPayment(list, before, entry, { evidence, calls, voucher });
      const ends = by === undefined ? isClosedWith(entry, next) : by === 'close' || by === 'finalize';
      return ends ? standing : { ...standing, checkpointedAt: entry.place.time };
    }
    case 'changed': {
      const standing = await auditChange(list, before, entry, { evidence, calls });
      const difference = standing.deposit - before.deposit;
      if (difference !== 0n) {
        const [kind, amount] =
          difference > 0n ? (['raised', difference] as const) : (['lowered', -difference] as const);
        course.deposits.push({ kind, amount, place: entry.place });
        if (kind === 'raised') fund(course, 'raised deposit', entry, before.terms.order, amount);
        else auditCredit(list, 'lowered deposit', { evidence, before, amount, transaction });
      }
      return standing;
    }
    case 'stopping':
      list.same(`stop in block ${entry.place.block}: time of the stop`, entry.stopAt, entry.place.time);
      list.same(`stop in block ${entry.place.block}: not stopped before`, 0, before.stopAt);
      return { ...before, stopAt: entry.stopAt };
    case 'closed':
      return auditClosing(course, before, entry);
  }
}

function isClosedWith(entry: LeaseLogEntry, next: LeaseLogEntry | undefined): boolean {
  return next?.kind === 'closed' && next.place.transaction === entry.place.transaction;
}

async function auditClosing(
  course: Course,
  before: Standing,
  entry: Extract<LeaseLogEntry, { kind: 'closed' }>,
): Promise<Standing> {
  const { list, evidence } = course;
  const { place, charged, refund } = entry;
  list.same('closing: charged in all', charged, chargedOf(before));
  list.same('closing: refund, deposit less charge', refund, before.deposit - chargedOf(before));
  const transaction = transactionOf(course, entry);
  await auditConsent(course, before, entry, transaction);
  course.deposits.push({ kind: 'refunded', amount: refund, place });
  auditRefund(list, { evidence, before, amount: refund, transaction });
  return { ...before, closedAt: place.time };
}

/** Either every member has signed, or the closing window has passed. */
async function auditConsent(
  { list, evidence }: Course,
  before: Standing,
  { place }: LeaseLogEntry,
  transaction: LeaseTransaction | undefined,
): Promise<void> {
  const what = 'closing: every member signed, or the window has passed';
  if (place.time > windowEnd(before)) {
    list.holds(what, true, '');
    return;
  }
  if (transaction?.calls === undefined) {
    list.unchecked(what, 'before the window has passed, by a transaction that did not call the escrow itself');
    return;
  }
  const closes = transaction.calls.flatMap((call) => (call.verb === 'close' ? [call.claims] : []));
  const fitting = closes.filter(
    (claims) =>
      claims.length === before.members.length &&
      // What was paid beyond a claim stays paid.
      claims.every(({ units }, index) => units <= (before.members[index]?.paid ?? 0n)),
  );
  const missing = await Promise.all(fitting.map((claims) => unsignedClaims(before, claims, evidence)));
  const isSigned = missing.some((members) => members.length === 0);
  list.holds(
    what,
    isSigned,
    `it passes at ${windowEnd(before)}, and members ${missing[0] ?? 'of no such claim'} did not sign`,
  );
}

/** Where the endpoint still has the state after the block's last event of the lease. */
function compareSlot(
  { list, evidence }: Course,
  standing: Standing,
  log: readonly LeaseLogEntry[],
  index: number,
): void {
  const block = log[index]?.place.block;
  if (block === undefined || log[index + 1]?.place.block === block) return;
  const stored = evidence.storedAt.get(block);
  if (stored === undefined) list.unchecked(`the slot at block ${block}`, 'the endpoint has no state of that block');
  else compareStored(list, `the slot at block ${block}`, stored, standing);
}

function compareStored(list: CheckList, name: string, stored: StoredLease, standing: Standing): void {
  const { openedAt, stopAt, checkpointedAt, feeBps, isChanged, closedAt } = standing;
  const wanted: StoredLease = {
    state: closedAt === undefined ? 'active' : 'closed',
    ...{ changed: isChanged, openedAt, stopAt, checkpointedAt, feeBps, charged: chargedOf(standing) },
  };
  const inWords = (slot: StoredLease) =>
    `${slot.state}, changed ${slot.changed}, opened ${slot.openedAt}, stopped ${slot.stopAt}, checkpointed ${slot.checkpointedAt}, fee ${slot.feeBps}/10,000, charged ${slot.charged}`;
  list.same(name, inWords(stored), inWords(wanted));
}
