import type { Hex } from 'viem';
import { recoverClose } from '../../messages/agreement.ts';
import { LEFT } from '../../messages/roster.ts';
import { checkVoucher, type SignedVoucher } from '../../messages/voucher.ts';
import type { CheckList } from './check.ts';
import type { LeaseCall, LeaseEvidence, LeaseLogEntry, SignedClaim } from './lease-evidence.ts';
import { chargedOf, payableTo, provenUnits, type Standing } from './lease-standing.ts';

export type Payment = Extract<LeaseLogEntry, { kind: 'paid' }>;
type Settling = Extract<LeaseCall, { verb: 'checkpoint' | 'finalize' | 'close' | 'leave' }>;

/** What a payment is held against. */
export interface PaymentSources {
  readonly evidence: Pick<LeaseEvidence, 'domain' | 'leaseId'>;
  /** Of the payment's transaction; undefined where its input cannot be read. */
  readonly calls: readonly LeaseCall[] | undefined;
  /** The renter's own last voucher, its signature checked. */
  readonly voucher: SignedVoucher | undefined;
}

/**
 * Holds a payment to the clock, to the renter's voucher, and to what was presented with it.
 * @returns the standing after it, and the verb of the call that explains it, if one does
 */
export async function auditPayment(
  list: CheckList,
  before: Standing,
  payment: Payment,
  sources: PaymentSources,
): Promise<{ readonly standing: Standing; readonly by: Settling['verb'] | undefined }> {
  const name = `payment in block ${payment.place.block}`;
  const { units } = payment;
  list.same(`${name}: members`, units.length, before.members.length);
  const falls = before.members.findIndex(({ paid }, index) => (units[index] ?? 0n) < paid);
  list.holds(`${name}: nothing is taken back`, falls === -1, `member ${falls} is paid for less than before`);
  boundByClock(list, name, before, payment);
  if (sources.voucher !== undefined) boundByVoucher(list, name, before, payment, sources.voucher);
  const by = await boundByCall(list, name, before, payment, sources);
  const members = before.members.map((one, index) => ({ ...one, paid: units[index] ?? one.paid }));
  const standing: Standing = { ...before, members };
  list.same(`${name}: charged so far`, payment.charged, chargedOf(standing));
  return { standing, by };
}

function boundByClock(list: CheckList, name: string, standing: Standing, { units, place }: Payment): void {
  const most = standing.members.map((one) =>
    larger(one.paid, payableTo(standing, one, { units: undefined, accrueFrom: 0, now: place.time })),
  );
  const fast = most.findIndex((allowed, index) => (units[index] ?? 0n) > allowed);
  list.holds(
    `${name}: not faster than the clock`,
    fast === -1,
    `member ${fast} is paid for ${units[fast]} device-seconds; its clock allows ${most[fast]}`,
  );
}

/** The last voucher covers all that the same meter ever signed, so no payment goes beyond what it is worth at that time. */
function boundByVoucher(
  list: CheckList,
  name: string,
  standing: Standing,
  { units, place }: Payment,
  voucher: SignedVoucher,
): void {
  const most = standing.members.map((one, index) => {
    const [promised, accrueFrom] = [voucher.units[index] ?? 0n, voucher.accrueFrom[index] ?? 0];
    return larger(one.paid, payableTo(standing, one, { units: promised, accrueFrom, now: place.time }));
  });
  const beyond = most.findIndex((allowed, index) => (units[index] ?? 0n) > allowed);
  list.holds(
    `${name}: no more than the voucher of the file`,
    beyond === -1,
    `member ${beyond} is paid for ${units[beyond]} device-seconds; the voucher allows ${most[beyond]}`,
  );
}

/** Recomputes exactly what the contract had to pay for what the transaction presented. */
async function boundByCall(
  list: CheckList,
  name: string,
  standing: Standing,
  payment: Payment,
  sources: PaymentSources,
): Promise<Settling['verb'] | undefined> {
  const what = `${name}: what was presented with it pays exactly this`;
  if (sources.calls === undefined) {
    list.unchecked(what, 'the transaction did not call the escrow itself');
    return undefined;
  }
  const settling = sources.calls.filter(
    (call) => call.verb !== 'open' && call.verb !== 'change' && call.verb !== 'stop',
  );
  const outcomes = await Promise.all(settling.map((call) => worth(standing, call, payment.place.time, sources)));
  const fits = outcomes.findIndex((units) => units !== undefined && units.join() === payment.units.join());
  const [expected] = outcomes.filter((units) => units !== undefined);
  if (fits === -1) {
    list.same(what, payment.units, expected ?? 'nothing: no voucher with a valid signature was presented');
    return undefined;
  }
  list.holds(what, true, '');
  return settling[fits]?.verb;
}

/** What every member is paid for once a call has gone through; undefined if the contract had to skip it. */
async function worth(
  standing: Standing,
  call: Settling,
  now: number,
  { evidence }: PaymentSources,
): Promise<readonly bigint[] | undefined> {
  const proven = provenUnits(standing, call.voucher, now);
  const rises = proven.some((units, index) => units > (standing.members[index]?.paid ?? 0n));
  if (rises && !(await isOfMeter(standing, call.voucher, evidence))) return undefined;
  switch (call.verb) {
    case 'checkpoint':
    case 'finalize':
      return proven;
    case 'close': {
      const claimed = call.claims.map(({ units }) => units);
      const fits =
        claimed.length === proven.length && claimed.every((units, index) => within(standing, proven, index, units));
      return fits ? claimed.map((units, index) => most(units, standing.members[index]?.paid)) : undefined;
    }
    case 'leave':
      if (!within(standing, proven, call.member, call.claim.units)) return undefined;
      return standing.members.map(({ paid }, index) => (index === call.member ? most(call.claim.units, paid) : paid));
  }
}

function within(standing: Standing, proven: readonly bigint[], index: number, claimed: bigint): boolean {
  const limit = proven[index];
  return standing.members[index] !== undefined && limit !== undefined && claimed <= limit;
}

/** A claim below what was paid takes nothing back. */
function most(claimed: bigint, paid = 0n): bigint {
  return claimed > paid ? claimed : paid;
}

async function isOfMeter(
  { terms, members }: Standing,
  voucher: SignedVoucher | undefined,
  { domain, leaseId }: PaymentSources['evidence'],
): Promise<boolean> {
  if (voucher === undefined) return false;
  try {
    // One from before members were added has fewer entries, and is good for those.
    const memberCount = Math.min(voucher.units.length, members.length);
    await checkVoucher(domain, { leaseId, order: terms.order, memberCount }, voucher);
    return true;
  } catch {
    // The contract skips a row like this; so it explains nothing.
    return false;
  }
}

/** The members whose agents did not sign what was claimed for them, although they had to. */
export async function unsignedClaims(
  { members }: Standing,
  claims: readonly (SignedClaim | undefined)[],
  { domain, leaseId }: PaymentSources['evidence'],
): Promise<readonly number[]> {
  const signed = await Promise.all(
    members.map(async ({ member, until }, index) => {
      const claim = claims[index];
      if (until === LEFT) return true;
      if (claim === undefined) return false;
      const close: { leaseId: typeof leaseId; member: number; units: bigint; signature: Hex } = {
        ...{ leaseId, member: index, ...claim },
      };
      return (await recoverClose(domain, close)) === member.agentKey;
    }),
  );
  return signed.flatMap((isSigned, index) => (isSigned ? [] : [index]));
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
