import { LEFT, type Roster } from '@latent/protocol';
import { describe, expect, it } from 'vitest';
import { type LeaseBench, openLeaseBench } from './lease-bench.fixture.ts';
import { freeDevices } from './lease-desk.ts';
import { dismissedAtSeconds, hasLeft, leaseEndSeconds, type MemberRecord, memberOf } from './member-record.ts';
import { claimableUnits, deliveredUnits } from './metering.ts';
import { ownPlace } from './own-place.ts';

const SECOND = 1;

/** The bench's lease with a second member of another agent, as a renter's change leaves it. */
function changedOf({ terms }: LeaseBench, roster: Partial<Roster> = {}) {
  const [own] = terms.members;
  if (own === undefined) throw new Error('the bench has a member');
  const other = { ...own, agentKey: own.operator, devices: 3 };
  const { maxSeconds, deposit } = terms.order;
  return {
    members: [own, other],
    roster: { opened: 1, maxSeconds, deposit, from: [0, 5], until: [0, 0], ...roster },
  };
}

function recordOf(bench: LeaseBench, changed: MemberRecord['changed']): MemberRecord {
  bench.attach();
  const record = bench.desk.context.members.find(bench.leaseId);
  if (record === undefined || changed === undefined) throw new Error('the lease is not there');
  bench.desk.context.members.save({ ...record, changed });
  return { ...record, changed };
}

describe('a lease that was changed', () => {
  it('is stored with its roster, and found again after a restart', async () => {
    await using bench = await openLeaseBench();
    const changed = changedOf(bench, { maxSeconds: 7_200 });
    recordOf(bench, changed);
    await using later = await bench.restart();
    expect(later.desk.context.members.find(later.leaseId)?.changed).toEqual(changed);
  });

  it('ends later where it was prolonged, and for a dismissed member when its clock does', async () => {
    await using bench = await openLeaseBench();
    const prolonged = recordOf(bench, changedOf(bench, { maxSeconds: 7_200 }));
    expect(leaseEndSeconds(prolonged)).toBe(prolonged.openedAt + 7_200);
    const until = prolonged.openedAt + 100;
    const dismissed = recordOf(bench, changedOf(bench, { maxSeconds: 7_200, until: [until, 0] }));
    expect(leaseEndSeconds(dismissed)).toBe(until);
    expect(dismissedAtSeconds(dismissed)).toBe(until);
    expect(hasLeft(dismissed)).toBe(false);
  });

  it('counts nothing for a dismissed member beyond its end', async () => {
    await using bench = await openLeaseBench();
    const opened = recordOf(bench, changedOf(bench)).openedAt;
    const record = recordOf(bench, changedOf(bench, { until: [opened + 100, 0] }));
    const running: MemberRecord = { ...record, state: 'running', startedAtMs: opened * 1000 };
    expect(deliveredUnits(running, (opened + 900) * 1000)).toBe(100n);
  });

  it('takes a member that was added by its own place, devices and all', async () => {
    await using bench = await openLeaseBench();
    const added = { ...recordOf(bench, changedOf(bench)), index: SECOND };
    expect(memberOf(added).devices).toBe(3);
    bench.desk.context.members.save(added);
    expect(freeDevices(bench.desk)).toBe(0);
  });

  it('still owes what was signed before members were added: the voucher has no entry for them, and needs none', async () => {
    await using bench = await openLeaseBench();
    const voucher = await bench.voucher(50n);
    const record = { ...recordOf(bench, changedOf(bench)), voucher, deliveredUnits: 45n };
    expect(claimableUnits(record)).toBe(45n);
    expect(claimableUnits({ ...record, index: SECOND })).toBe(0n);
  });

  it('has left when the escrow says so, which is no dismissal', async () => {
    await using bench = await openLeaseBench();
    const left = recordOf(bench, changedOf(bench, { until: [LEFT, 0] }));
    expect(hasLeft(left)).toBe(true);
    expect(dismissedAtSeconds(left)).toBeUndefined();
  });
});

describe('our place in a lease', () => {
  it('is the one that we have not left, and there has to be just one', async () => {
    await using bench = await openLeaseBench();
    const { leaseId, terms } = bench;
    const { address } = bench.desk.context.identity.agent;
    const [own] = terms.members;
    if (own === undefined) throw new Error('the bench has a member');
    const again = { members: [own, own], roster: changedOf(bench, { until: [LEFT, 0] }).roster };
    expect(ownPlace(address, leaseId, { terms, changed: undefined })).toBe(0);
    expect(ownPlace(address, leaseId, { terms, changed: again })).toBe(SECOND);
    const twice = { ...again, roster: { ...again.roster, until: [0, 0] } };
    const gone = { ...again, roster: { ...again.roster, until: [LEFT, LEFT] } };
    for (const changed of [twice, gone]) {
      expect(() => ownPlace(address, leaseId, { terms, changed })).toThrow(
        expect.objectContaining({ code: 'LEASE_MISMATCH' }),
      );
    }
  });
});
