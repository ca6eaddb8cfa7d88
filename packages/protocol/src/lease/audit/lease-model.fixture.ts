import { type Address, concatHex, keccak256, numberToHex, stringToHex, zeroAddress } from 'viem';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import { askIdSchema, type LeaseId } from '../../ids.ts';
import { signClose } from '../../messages/agreement.ts';
import { hashOrder, type LeaseTerms, type Member, requiredDeposit } from '../../messages/order.ts';
import type { Roster } from '../../messages/roster.ts';
import { type SignedVoucher, signVoucher } from '../../messages/voucher.ts';
import type {
  LeaseCall,
  LeaseEvidence,
  LeaseLogEntry,
  LeaseTransaction,
  Movement,
  Place,
  StoredLease,
} from './lease-evidence.ts';

/** One thing that happens to a lease; `n` chooses what is left open. */
export interface Step {
  readonly kind: 'checkpoint' | 'add' | 'dismiss' | 'prolong' | 'raise' | 'lower' | 'leave' | 'stop';
  readonly seconds: number;
  readonly n: number;
}

export interface Story {
  readonly members: readonly { readonly devices: number; readonly rate: bigint }[];
  readonly maxSeconds: number;
  readonly feeBps: number;
  readonly steps: readonly Step[];
  readonly end: 'close' | 'finalize' | 'open';
}

interface Part {
  readonly member: Member;
  readonly agent: PrivateKeyAccount;
  from: number;
  until: number;
  vouched: bigint;
  paid: bigint;
}

const PREPAY = 10;
const OPENED_AT = 1_800_000_000;
const ESCROW: Address = '0x00000000000000000000000000000000000000E5';
const domain = { chainId: 31_337, escrow: ESCROW };
const keyOf = (name: string) => privateKeyToAccount(keccak256(stringToHex(name)));
const renter = keyOf('renter').address;
const meter = keyOf('meter');

interface Model {
  readonly parts: Part[];
  readonly terms: LeaseTerms;
  readonly leaseId: LeaseId;
  readonly opened: number;
  readonly log: LeaseLogEntry[];
  readonly transactions: LeaseTransaction[];
  readonly storedAt: Map<bigint, StoredLease>;
  now: number;
  block: bigint;
  voucher: SignedVoucher | undefined;
  slot: StoredLease;
  deposit: bigint;
  maxSeconds: number;
}

/**
 * What the chain says of a lease of the escrow, told by a model of it that is written plainly and without the code under test:
 * one block for each step.
 */
export async function tellLease(
  story: Story,
): Promise<{ evidence: LeaseEvidence; voucher: SignedVoucher | undefined }> {
  const model = open(story);
  for (const step of story.steps) {
    model.now += step.seconds;
    await take(model, step);
  }
  if (story.end !== 'open') await end(model, story.end);
  const { leaseId, log, transactions, slot: stored, storedAt, voucher } = model;
  return { evidence: { domain, leaseId, log, transactions, stored, storedAt }, voucher };
}

function open(story: Story): Model {
  const parts = story.members.map((one, index) => newPart(index, one));
  const terms = termsOf(story, parts);
  const { deposit, maxSeconds } = terms.order;
  const model: Model = {
    ...{ parts, terms, leaseId: hashOrder(domain, terms), opened: parts.length, deposit, maxSeconds },
    ...{ log: [], transactions: [], storedAt: new Map(), now: OPENED_AT, block: 100n, voucher: undefined },
    slot: {
      ...{ state: 'active', changed: false, openedAt: OPENED_AT, stopAt: 0, checkpointedAt: 0 },
      ...{ feeBps: story.feeBps, charged: 0n },
    },
  };
  model.log.push({ kind: 'opened', place: place(model), terms });
  send(model, { verb: 'open', from: 'renter' }, [{ kind: 'transfer', from: renter, to: ESCROW, amount: deposit }]);
  return model;
}

async function take(model: Model, { kind, n }: Step): Promise<void> {
  const { parts, slot, now, deposit, maxSeconds } = model;
  const chosen = parts[n % parts.length];
  const runs = slot.stopAt === 0 && now < OPENED_AT + maxSeconds;
  if (chosen === undefined) return;
  if (kind === 'checkpoint') {
    const voucher = await sign(model);
    if (
      !pay(
        model,
        parts.map((part) => worth(model, part)),
      )
    )
      return;
    model.slot = { ...model.slot, checkpointedAt: now };
    send(model, { verb: 'checkpoint', voucher });
  } else if (kind === 'add' && runs && parts.length < 6) {
    const added = { ...newPart(parts.length, { devices: (n % 5) + 1, rate: BigInt(n) * 1_000_003n + 1n }), from: now };
    const left = BigInt(OPENED_AT + maxSeconds - now);
    const more = ceil(left * BigInt(added.member.devices) * added.member.rate);
    change(model, [added], 0n, { maxSeconds, deposit: owed(model, maxSeconds) + more + BigInt(n) });
  } else if (kind === 'dismiss' && slot.stopAt === 0 && chosen.until === 0) {
    chosen.until = now + PREPAY;
    change(model, [], 1n << BigInt(parts.indexOf(chosen)), { maxSeconds, deposit });
  } else if (kind === 'prolong' && runs) {
    change(model, [], 0n, { maxSeconds: maxSeconds + n, deposit: owed(model, maxSeconds + n) + deposit });
  } else if (kind === 'raise') change(model, [], 0n, { maxSeconds, deposit: deposit + BigInt(n) + 1n });
  else if (kind === 'lower') change(model, [], 0n, { maxSeconds, deposit: owed(model, maxSeconds) });
  else if (kind === 'leave' && chosen.until !== 1) await leave(model, chosen, n);
  else if (kind === 'stop' && slot.stopAt === 0) {
    model.slot = { ...slot, stopAt: now };
    model.log.push({ kind: 'stopping', place: place(model), stopAt: now });
    send(model, { verb: 'stop' });
  }
}

async function leave(model: Model, chosen: Part, n: number): Promise<void> {
  const voucher = await sign(model);
  const member = model.parts.indexOf(chosen);
  const units = chosen.paid + ((worth(model, chosen) - chosen.paid) * BigInt(n % 101)) / 100n;
  const { signature } = await signClose(chosen.agent, domain, { leaseId: model.leaseId, member, units });
  const isPaid = pay(
    model,
    model.parts.map((one) => (one === chosen ? units : one.paid)),
  );
  if (isPaid) model.slot = { ...model.slot, checkpointedAt: model.now };
  chosen.until = 1;
  model.slot = { ...model.slot, changed: true };
  model.log.push({ kind: 'changed', place: place(model), roster: roster(model), added: [] });
  send(model, { verb: 'leave', voucher, member, claim: { units, signature } });
}

async function end(model: Model, how: 'close' | 'finalize'): Promise<void> {
  model.now += how === 'finalize' ? model.maxSeconds + 10_000 : 1;
  const voucher = await sign(model);
  const claims = await Promise.all(
    model.parts.map(async (part, member) => {
      const units = part.paid + ((worth(model, part) - part.paid) * 9n) / 10n;
      const { signature } = await signClose(part.agent, domain, { leaseId: model.leaseId, member, units });
      return { units, signature };
    }),
  );
  pay(model, how === 'close' ? claims.map(({ units }) => units) : model.parts.map((part) => worth(model, part)));
  const refund = model.deposit - model.slot.charged;
  model.slot = { ...model.slot, state: 'closed' };
  model.log.push({ kind: 'closed', place: place(model), charged: model.slot.charged, refund });
  const call: LeaseCall = how === 'close' ? { verb: 'close', voucher, claims } : { verb: 'finalize', voucher };
  send(model, call, give(refund));
}

function place({ block, now, log }: Model): Place {
  return { block, time: now, transaction: keccak256(numberToHex(block)), logIndex: log.length };
}

function send(model: Model, call: LeaseCall, movements: readonly Movement[] = []): void {
  const where = place(model);
  const { transaction: hash } = where;
  model.transactions.push({ hash, place: where, gasUsed: 90_000n, weiPerGas: 7n, calls: [call], movements });
  model.storedAt.set(model.block, model.slot);
  model.block += 1n;
}

function give(amount: bigint): Movement[] {
  return amount === 0n ? [] : [{ kind: 'transfer', from: ESCROW, to: renter, amount }];
}

/** A meter that runs fast: what it signs for, the clock does not always allow. */
async function sign(model: Model): Promise<SignedVoucher> {
  for (const part of model.parts) {
    const seconds = BigInt(Math.max(0, model.now - Math.max(OPENED_AT, part.from)));
    const delivered = (seconds * BigInt(part.member.devices) * 6n) / 5n;
    if (delivered > part.vouched) part.vouched = delivered;
  }
  const units = model.parts.map(({ vouched }) => vouched);
  const content = { leaseId: model.leaseId, units, accrueFrom: units.map(() => 0) };
  model.voucher = await signVoucher(meter, domain, content);
  return model.voucher;
}

function worth({ slot, now, maxSeconds }: Model, part: Part): bigint {
  let last = slot.stopAt !== 0 && slot.stopAt < now ? slot.stopAt : now;
  last += PREPAY;
  if (last > OPENED_AT + maxSeconds) last = OPENED_AT + maxSeconds;
  if (part.until !== 0 && part.until < last) last = part.until;
  const first = part.from > OPENED_AT ? part.from : OPENED_AT;
  const clock = last > first ? BigInt(last - first) * BigInt(part.member.devices) : 0n;
  const proven = part.vouched < clock ? part.vouched : clock;
  return proven > part.paid ? proven : part.paid;
}

function pay(model: Model, units: readonly bigint[]): boolean {
  const { parts } = model;
  if (parts.every(({ paid }, index) => paid === units[index])) return false;
  for (const [index, part] of parts.entries()) part.paid = units[index] ?? 0n;
  const charged = parts.reduce((sum, { paid, member }) => sum + (paid * member.rate) / 1_000_000_000n, 0n);
  model.slot = { ...model.slot, charged };
  model.log.push({ kind: 'paid', place: place(model), units, charged });
  return true;
}

function change(
  model: Model,
  added: readonly Part[],
  dismissed: bigint,
  wanted: { readonly deposit: bigint; readonly maxSeconds: number },
): void {
  model.parts.push(...added);
  const freed = model.deposit - wanted.deposit;
  Object.assign(model, wanted);
  model.slot = { ...model.slot, changed: true };
  const members = added.map(({ member }) => member);
  model.log.push({ kind: 'changed', place: place(model), roster: roster(model), added: members });
  const asked = { before: keccak256('0x'), dismissed, ...wanted, changeBy: model.now };
  send(model, { verb: 'change', from: 'balance', change: asked }, freed > 0n ? give(freed) : []);
}

function roster({ opened, maxSeconds, deposit, parts }: Model): Roster {
  return { opened, maxSeconds, deposit, from: parts.map(({ from }) => from), until: parts.map(({ until }) => until) };
}

function owed({ parts, slot }: Model, length: number): bigint {
  return parts.reduce((sum, { member, from, until, paid }) => {
    if (until === 1) return sum + (paid * member.rate) / 1_000_000_000n;
    let last = OPENED_AT + length;
    if (slot.stopAt !== 0 && slot.stopAt + PREPAY < last) last = slot.stopAt + PREPAY;
    if (until !== 0 && until < last) last = until;
    const seconds = BigInt(Math.max(0, last - Math.max(OPENED_AT, from)));
    return sum + ceil(seconds * BigInt(member.devices) * member.rate);
  }, 0n);
}

function ceil(product: bigint): bigint {
  return (product + 999_999_999n) / 1_000_000_000n;
}

function newPart(index: number, { devices, rate }: { devices: number; rate: bigint }): Part {
  const agent = keyOf(`agent ${index}`);
  const ask = askIdSchema.parse(keccak256(concatHex([numberToHex(index), agent.address])));
  const member = { ask, operator: keyOf(`operator ${index}`).address, agentKey: agent.address, devices, rate };
  return { member, agent, from: 0, until: 0, vouched: 0n, paid: 0n };
}

function termsOf({ maxSeconds }: Story, parts: readonly Part[]): LeaseTerms {
  const members = parts.map(({ member }) => member);
  return {
    members,
    order: {
      ...{ renter, session: zeroAddress, meterKey: meter.address, maxSeconds, closeWindow: 900, prepay: PREPAY },
      ...{ deposit: requiredDeposit(members, maxSeconds) + 5n, maxFeeBps: 50, openBy: OPENED_AT + 5 },
      ...{ workload: keccak256('0x'), salt: 7n },
    },
  };
}
