import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { billStanding, computeBill } from '../bill.ts';
import { auditLease } from './audit-lease.ts';
import type { LeaseEvidence, LeaseLogEntry } from './lease-evidence.ts';
import { type Step, type Story, tellLease } from './lease-model.fixture.ts';

const kinds = ['checkpoint', 'add', 'dismiss', 'prolong', 'raise', 'lower', 'leave', 'stop'] as const;
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...kinds),
  seconds: fc.integer({ min: 1, max: 1_500 }),
  n: fc.nat({ max: 1_000 }),
});
const member = fc.record({
  devices: fc.integer({ min: 1, max: 64 }),
  // Low ones too, where many units are charged nothing.
  rate: fc.oneof(fc.bigInt({ min: 1n, max: 1_000n }), fc.bigInt({ min: 1n, max: 2n ** 45n })),
});
const story = (end: fc.Arbitrary<Story['end']>): fc.Arbitrary<Story> =>
  fc.record({
    members: fc.array(member, { minLength: 1, maxLength: 3 }),
    maxSeconds: fc.integer({ min: 1, max: 10_000 }),
    feeBps: fc.integer({ min: 0, max: 50 }),
    steps: fc.array(step, { maxLength: 7 }),
    end,
  });

const wrongOf = async (evidence: LeaseEvidence, voucher?: Parameters<typeof auditLease>[1]) =>
  (await auditLease(evidence, voucher)).checks.filter(({ outcome }) => outcome === 'wrong');

/** A checkpoint, somebody added, somebody dismissed, somebody who left, and a close. */
const rich: Story = {
  members: [
    { devices: 8, rate: 555_555_555_555n },
    { devices: 1, rate: 3n },
  ],
  ...{ maxSeconds: 7_200, feeBps: 30, end: 'close' },
  steps: [
    { kind: 'checkpoint', seconds: 600, n: 0 },
    { kind: 'add', seconds: 60, n: 700 },
    { kind: 'dismiss', seconds: 60, n: 1 },
    { kind: 'leave', seconds: 600, n: 100 },
    { kind: 'prolong', seconds: 60, n: 999 },
    { kind: 'lower', seconds: 60, n: 0 },
    { kind: 'checkpoint', seconds: 600, n: 0 },
    { kind: 'stop', seconds: 60, n: 0 },
  ],
};

describe('auditLease', () => {
  it('finds nothing wrong with any history of the escrow, and its bill adds up', async () => {
    await fc.assert(
      fc.asyncProperty(story(fc.constantFrom('close', 'finalize', 'open')), async (told) => {
        const { evidence, voucher } = await tellLease(told);
        const audit = await auditLease(evidence, voucher);
        expect(audit.checks.filter(({ outcome }) => outcome === 'wrong')).toEqual([]);
        if (audit.standing === undefined) throw new Error('no standing');
        const prices = { weiPerGas: 1n, unitsPerEther: 1n };
        const bill = billStanding(evidence, { standing: audit.standing, deposits: audit.deposits }, prices);
        expect(bill.charged).toBe(evidence.stored.charged);
        if (bill.refund !== undefined) expect(bill.charged + bill.refund).toBe(bill.deposit);
        const held = bill.deposits.reduce(
          (sum, { kind, amount }) => sum + (kind === 'opened' || kind === 'raised' ? amount : -amount),
          0n,
        );
        expect(held).toBe(bill.closed ? bill.charged : bill.deposit);
      }),
      { numRuns: 60 },
    );
  });

  it('finds any single figure that was altered', async () => {
    const { evidence, voucher } = await tellLease(rich);
    const altered = alterations(evidence);
    expect(altered.length).toBeGreaterThan(60);
    const missed: string[] = [];
    for (const { name, evidence: other } of altered) {
      if ((await wrongOf(other, voucher)).length === 0) missed.push(name);
    }
    expect(missed).toEqual([]);
  });

  it('finds one in any history', async () => {
    await fc.assert(
      fc.asyncProperty(story(fc.constantFrom('close', 'finalize')), fc.nat(), async (told, pick) => {
        const { evidence, voucher } = await tellLease(told);
        const altered = alterations(evidence);
        const chosen = altered[pick % altered.length];
        if (chosen === undefined) throw new Error('nothing to alter');
        expect(await wrongOf(chosen.evidence, voucher), chosen.name).not.toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('names a wrong figure with both values', async () => {
    const { evidence } = await tellLease(rich);
    const log = evidence.log.map((entry) =>
      entry.kind === 'closed' ? { ...entry, refund: entry.refund - 1n } : entry,
    );
    const refund = evidence.log.find((entry) => entry.kind === 'closed')?.refund ?? 0n;
    expect(await wrongOf({ ...evidence, log })).toContainEqual({
      ...{ outcome: 'wrong', what: 'closing: refund, deposit less charge' },
      ...{ stated: String(refund - 1n), recomputed: String(refund) },
    });
  });

  it('refuses a payment beyond the voucher of the file, and a voucher of another key', async () => {
    const { evidence, voucher } = await tellLease(rich);
    if (voucher === undefined) throw new Error('no voucher');
    const elsewhere = await wrongOf(evidence, { ...voucher, units: voucher.units.map((units) => units + 1n) });
    expect(elsewhere).toMatchObject([{ what: 'voucher of the file: signed by the meter key' }]);
    const early = evidence.transactions.flatMap(({ calls }) => calls ?? []).find((call) => call.verb === 'checkpoint');
    if (early?.verb !== 'checkpoint') throw new Error('no checkpoint');
    const beyond = await wrongOf(evidence, early.voucher);
    expect(beyond.map(({ what }) => what)).toContainEqual(
      expect.stringContaining('no more than the voucher of the file'),
    );
  });

  it('says what it could not check, and does not call that right', async () => {
    const { evidence } = await tellLease(rich);
    const transactions = evidence.transactions.map((one) => ({ ...one, calls: undefined }));
    const audit = await auditLease({ ...evidence, transactions, storedAt: new Map() }, undefined);
    expect(audit.isRight).toBe(true);
    const open = audit.checks.filter(({ outcome }) => outcome === 'unchecked').map(({ what }) => what);
    expect(open).toContainEqual(expect.stringContaining('what was presented with it'));
    expect(open).toContainEqual(expect.stringContaining('the slot at block'));
    expect(open).toContainEqual(expect.stringContaining('voucher of the file'));
  });

  it('has a bill for a lease that holds nothing any more', async () => {
    const { evidence, voucher } = await tellLease({
      ...{ members: [{ devices: 1, rate: 1n }], maxSeconds: 1, feeBps: 0, end: 'close' },
      steps: [
        { kind: 'leave', seconds: 1, n: 0 },
        { kind: 'lower', seconds: 1, n: 0 },
      ],
    });
    const { standing, deposits } = await auditLease(evidence, voucher);
    if (standing === undefined) throw new Error('no standing');
    const bill = billStanding(evidence, { standing, deposits }, { weiPerGas: 1n, unitsPerEther: 1n });
    expect([bill.deposit, bill.refund, bill.coordinationAtFullLength]).toEqual([0n, 0n, undefined]);
  });

  it('states the same charges as a bill that is made from totals alone', async () => {
    const { evidence } = await tellLease({ ...rich, steps: [], end: 'finalize' });
    const { standing, deposits } = await auditLease(evidence, undefined);
    if (standing === undefined) throw new Error('no standing');
    const prices = { weiPerGas: 1n, unitsPerEther: 1n };
    const whole = billStanding(evidence, { standing, deposits }, prices);
    const paidUnits = standing.members.map(({ paid }) => paid);
    const plain = computeBill({
      ...{ leaseId: evidence.leaseId, terms: standing.terms, feeBps: 30, paidUnits, prices },
      ...{ refund: whole.refund, transactions: [] },
    });
    expect([whole.charged, whole.fee, whole.refund]).toEqual([plain.charged, plain.fee, plain.refund]);
    expect(whole.charged).toBeGreaterThan(0n);
  });
});

interface Altered {
  readonly name: string;
  readonly evidence: LeaseEvidence;
}

/** Every figure of the log and of the slot, each raised by one in a copy of its own. Block times aside: they are the clock. */
function alterations(evidence: LeaseEvidence): Altered[] {
  const inLog = evidence.log.flatMap((entry, at) =>
    alterEntry(entry).map(({ name, entry: other }) => ({
      name: `${at} ${entry.kind} ${name}`,
      evidence: { ...evidence, log: evidence.log.map((one, index) => (index === at ? other : one)) },
    })),
  );
  const { stored } = evidence;
  const slots = [
    { ...stored, openedAt: stored.openedAt + 1 },
    { ...stored, stopAt: stored.stopAt + 1 },
    { ...stored, checkpointedAt: stored.checkpointedAt + 1 },
    { ...stored, charged: stored.charged + 1n },
    { ...stored, changed: !stored.changed },
  ].map((slot, index) => ({ name: `slot ${index}`, evidence: { ...evidence, stored: slot } }));
  return [...inLog, ...slots];
}

function alterEntry(entry: LeaseLogEntry): { name: string; entry: LeaseLogEntry }[] {
  switch (entry.kind) {
    case 'opened': {
      const { order, members } = entry.terms;
      const orders = [
        { ...order, deposit: order.deposit + 1n },
        { ...order, maxSeconds: order.maxSeconds + 1 },
        { ...order, closeWindow: order.closeWindow + 1 },
        { ...order, prepay: order.prepay + 1 },
        { ...order, maxFeeBps: order.maxFeeBps + 1 },
        { ...order, salt: order.salt + 1n },
      ].map((changed) => ({ ...entry, terms: { members, order: changed } }));
      const others = members.flatMap((one, index) =>
        [
          { ...one, rate: one.rate + 1n },
          { ...one, devices: one.devices + 1 },
        ].map((changed) => ({ ...entry, terms: { order, members: members.with(index, changed) } })),
      );
      return [...orders, ...others].map((changed, index) => ({ name: `terms ${index}`, entry: changed }));
    }
    case 'paid':
      return [
        { name: 'charged', entry: { ...entry, charged: entry.charged + 1n } },
        ...entry.units.flatMap((units, index) => [
          { name: `units ${index} up`, entry: { ...entry, units: entry.units.with(index, units + 1n) } },
          { name: `units ${index} down`, entry: { ...entry, units: entry.units.with(index, units - 1n) } },
        ]),
      ];
    case 'changed': {
      const { roster } = entry;
      const rosters = [
        { ...roster, deposit: roster.deposit + 1n },
        { ...roster, maxSeconds: roster.maxSeconds + 1 },
        { ...roster, opened: roster.opened + 1 },
        ...roster.from.map((from, index) => ({ ...roster, from: roster.from.with(index, from + 1) })),
        ...roster.until.map((until, index) => ({ ...roster, until: roster.until.with(index, until + 2) })),
      ];
      return rosters.map((changed, index) => ({ name: `roster ${index}`, entry: { ...entry, roster: changed } }));
    }
    case 'stopping':
      return [{ name: 'stopAt', entry: { ...entry, stopAt: entry.stopAt + 1 } }];
    case 'closed':
      return [
        { name: 'charged', entry: { ...entry, charged: entry.charged + 1n } },
        { name: 'refund', entry: { ...entry, refund: entry.refund + 1n } },
      ];
  }
}
