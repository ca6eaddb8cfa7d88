import {
  type Ask,
  askSchema,
  type EscrowDomain,
  hashAsk,
  hashResource,
  LEFT,
  type NetworkPlan,
  peerKeySchema,
  type Resource,
  resourceSchema,
  toLatentError,
} from '@latent/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { type LeaseBench, openLeaseBench, renterKey, strangerKey } from './lease-bench.fixture.ts';
import type { MemberRecord } from './member-record.ts';
import { checkPlan, planNetwork } from './plan-network.ts';

const digits = (digit: number, count: number) => `0x${String(digit).repeat(count)}`;

function resourceOf(digit: number): Resource {
  return resourceSchema.parse({
    ...{ kind: 'cpu', model: 'x', deviceMemoryMiB: 1, cpuCores: 1, memoryMiB: 1, region: 'eu', site: 'home' },
    ...{ isolation: 'namespaces', peerKey: digits(digit, 64), hints: [`udp://192.0.2.${digit}:7000`] },
  });
}

function askOf(digit: number): Ask {
  return askSchema.parse({
    ...{ operator: digits(digit, 40), agentKey: digits(digit, 40), resource: hashResource(resourceOf(digit)) },
    ...{ devices: 1, rate: '1', maxSeconds: 60, closeWindow: 900, prepay: 10, maxFeeBps: 50, validUntil: 1 },
    ...{ epoch: 0, salt: String(digit) },
  });
}

const inPlan = (rank: number, digit: number) => ({ rank, ask: askOf(digit), resource: resourceOf(digit) });
const planOf = (...ranks: NetworkPlan['ranks']): NetworkPlan => ({ number: 1, ranks });

/** A member of a lease of the agents 1, 2 and 3; ours is 2. */
function recordOf(bench: LeaseBench, domain: EscrowDomain): MemberRecord {
  bench.attach();
  const record = bench.desk.context.members.find(bench.leaseId);
  const [own] = bench.terms.members;
  if (record === undefined || own === undefined) throw new Error('the bench has a lease');
  const members = [1, 2, 3].map((digit) => ({ ...own, ask: hashAsk(domain, askOf(digit)) }));
  return { ...record, index: 1, ask: hashAsk(domain, askOf(2)), terms: { ...record.terms, members } };
}

describe('a plan of a private network', () => {
  let record: MemberRecord;
  let domain: EscrowDomain;

  beforeAll(async () => {
    await using bench = await openLeaseBench();
    ({ domain } = bench.desk.context.chain);
    record = recordOf(bench, domain);
  });

  const check = (plan: NetworkPlan, change: Partial<MemberRecord> = {}) =>
    checkPlan(domain, { ...record, ...change }, plan);
  const mismatch = expect.objectContaining({ code: 'LEASE_MISMATCH' });

  it('gives our own rank, and of each rank the key and hints that its operator signed for', () => {
    expect(check(planOf(inPlan(0, 3), inPlan(1, 1), inPlan(7, 2)))).toEqual({
      number: 1,
      rank: 7,
      ranks: [3, 1, 2].map((digit, place) => ({
        rank: [0, 1, 7][place],
        peerKey: peerKeySchema.parse(digits(digit, 64)),
        hints: [`udp://192.0.2.${digit}:7000`],
      })),
    });
  });

  it('holds nobody who is not in the lease, or has left it, and nobody twice', () => {
    expect(() => check(planOf(inPlan(0, 2), inPlan(1, 4)))).toThrow(mismatch);
    expect(() => check(planOf(inPlan(0, 2), inPlan(1, 3), inPlan(2, 3)))).toThrow(mismatch);
    const { members } = record.terms;
    const { maxSeconds, deposit } = record.terms.order;
    const roster = { opened: 3, maxSeconds, deposit, from: [0, 0, 0], until: [0, 0, LEFT] };
    expect(() => check(planOf(inPlan(0, 2), inPlan(1, 3)), { changed: { members, roster } })).toThrow(mismatch);
    expect(check(planOf(inPlan(0, 2), inPlan(1, 1)), { changed: { members, roster } }).ranks).toHaveLength(2);
  });

  it('cannot have us dial a key or an address that the operator did not sign for', () => {
    const elsewhere = { ...resourceOf(1), hints: ['udp://192.0.2.99:53'] };
    const otherKey = { ...resourceOf(1), peerKey: peerKeySchema.parse(digits(9, 64)) };
    for (const resource of [elsewhere, otherKey]) {
      expect(() => check(planOf(inPlan(0, 2), { ...inPlan(1, 1), resource }))).toThrow(mismatch);
      const ask = { ...askOf(1), resource: hashResource(resource) };
      expect(() => check(planOf(inPlan(0, 2), { rank: 1, ask, resource }))).toThrow(mismatch);
    }
  });

  it('has to have us in it', () => {
    expect(() => check(planOf(inPlan(0, 1), inPlan(1, 3)))).toThrow(mismatch);
  });
});

describe('an agent that is told the plan', () => {
  const plan = planOf(inPlan(0, 1), inPlan(1, 2));

  async function told(bench: LeaseBench, change: Partial<NetworkPlan> = {}, caller = renterKey): Promise<string> {
    return planNetwork(bench.desk, caller, { leaseId: bench.leaseId, plan: { ...plan, ...change } }).then(
      () => 'taken',
      (thrown: unknown) => toLatentError(thrown).code,
    );
  }

  async function openBench(isAble: boolean): Promise<LeaseBench> {
    const open = async () => ({ namespacePath: '/n', ways: () => [], accept: () => {}, close: async () => {} });
    const bench = await openLeaseBench(isAble ? { open, remove: () => {} } : undefined);
    bench.desk.context.members.save(recordOf(bench, bench.desk.context.chain.domain));
    return bench;
  }

  const stored = (bench: LeaseBench) => bench.desk.context.members.find(bench.leaseId);

  it('stores it, and takes the same one again', async () => {
    await using bench = await openBench(true);
    expect([await told(bench), await told(bench)]).toEqual(['taken', 'taken']);
    expect(stored(bench)?.network).toMatchObject({ number: 1, rank: 1 });
    expect(await bench.desk.networks.jobNetwork(stored(bench) ?? expect.unreachable())).toEqual({
      ...{ namespacePath: '/n', address: '100.84.0.2', prefixLength: 16 },
      hosts: [
        { name: 'rank-0.cluster', address: '100.84.0.1' },
        { name: 'rank-1.cluster', address: '100.84.0.2' },
      ],
    });
  });

  it('takes none of anybody but the renter, none after the start, and no second one', async () => {
    await using bench = await openBench(true);
    expect(await told(bench, {}, strangerKey)).toBe('LEASE_NOT_MINE');
    const before = stored(bench) ?? expect.unreachable();
    bench.desk.context.members.save({ ...before, state: 'preparing' });
    expect(await told(bench)).toBe('NOT_ALLOWED');
    bench.desk.context.members.save(before);
    expect(await told(bench)).toBe('taken');
    expect(await told(bench, { number: 2 })).toBe('NOT_ALLOWED');
  });

  it('says so where it cannot be in a private network, and keeps nothing of a plan that is wrong', async () => {
    await using bench = await openBench(false);
    expect(await told(bench)).toBe('NETWORK_UNAVAILABLE');
    await using able = await openBench(true);
    expect(await told(able, { ranks: [inPlan(0, 1)] })).toBe('LEASE_MISMATCH');
    expect([stored(bench)?.network, stored(able)?.network]).toEqual([undefined, undefined]);
  });
});
