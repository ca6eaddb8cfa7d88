import { mkdirSync } from 'node:fs';
import { LatentError, type PeerKey, peerKeySchema, toLatentError } from '@latent/protocol';
import { describe, expect, it } from 'vitest';
import type { MemberNetworkPlan } from '../network/member-network.ts';
import { acceptNetwork } from './accept-network.ts';
import {
  type BenchCarrier,
  type LeaseBench,
  openLeaseBench,
  PREPAY,
  renterKey,
  strangerKey,
} from './lease-bench.fixture.ts';
import { memberStatus } from './member-status.ts';
import { recoverMembers } from './recover-members.ts';
import { startJob } from './start-job.ts';
import { stopMember } from './stop-member.ts';

const peerKey: PeerKey = peerKeySchema.parse(`0x${'e'.repeat(64)}`);
const OWN = 0;
const PEER = 1;

/** What the agent asked of whatever carries packets. */
interface Carrier extends BenchCarrier {
  readonly plans: MemberNetworkPlan[];
  readonly closed: number[];
  /** Folders of networks that were removed without having been taken up. */
  readonly removed: string[];
}

function createCarrier(): Carrier {
  const plans: MemberNetworkPlan[] = [];
  const closed: number[] = [];
  const removed: string[] = [];
  return {
    plans,
    closed,
    removed,
    remove: (stateDir) => void removed.push(stateDir),
    open: async (plan, { stateDir }) => {
      mkdirSync(stateDir, { recursive: true });
      plans.push(plan);
      return {
        namespacePath: `${stateDir}/netns`,
        ways: () => [{ rank: PEER, stream: undefined, sentBytes: 0, receivedBytes: 0, droppedPackets: 0 }],
        accept: () => {},
        close: async () => void closed.push(plan.rank),
      };
    },
  };
}

/** A member with a plan of two ranks, as `planNetwork` leaves it. */
async function plan(bench: LeaseBench): Promise<void> {
  bench.attach();
  const record = recordOf(bench);
  const ranks = [
    { rank: OWN, peerKey: bench.desk.context.identity.peer.key, hints: [] },
    { rank: PEER, peerKey, hints: [] },
  ];
  bench.desk.context.members.save({ ...record, network: { number: 1, rank: OWN, ranks } });
  await bench.desk.networks.bringUp(recordOf(bench));
}

function recordOf(bench: LeaseBench) {
  const record = bench.desk.context.members.find(bench.leaseId);
  if (record === undefined) throw new Error('the lease is not there');
  return record;
}

async function start(bench: LeaseBench, rank = OWN) {
  const voucher = await bench.voucher(BigInt(PREPAY));
  return startJob(bench.desk, renterKey, { leaseId: bench.leaseId, rank, setup: '', run: 'true', env: {}, voucher });
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'let in',
    (thrown: unknown) => toLatentError(thrown).code,
  );
}

const knock = (bench: LeaseBench, caller: PeerKey, from: number, to: number) =>
  codeOf(acceptNetwork(bench.desk, caller, { leaseId: bench.leaseId, from, to }));

describe('the private network of a member', () => {
  it('lets in the key of each rank as that rank, and nobody else', async () => {
    await using bench = await openLeaseBench(createCarrier());
    await plan(bench);
    const own = bench.desk.context.identity.peer.key;
    expect(await knock(bench, peerKey, PEER, OWN)).toBe('let in');
    for (const [caller, from, to] of [
      [strangerKey, PEER, OWN],
      [renterKey, PEER, OWN],
      [peerKey, OWN, OWN],
      [peerKey, 2, OWN],
      [peerKey, PEER, 2],
      [own, OWN, OWN],
    ] as const) {
      expect(await knock(bench, caller, from, to)).toBe('LEASE_NOT_MINE');
    }
  });

  it('answers for a lease that it does not know, or that is in no private network, as for a wrong key', async () => {
    await using bench = await openLeaseBench(createCarrier());
    expect(await knock(bench, peerKey, PEER, OWN)).toBe('LEASE_NOT_MINE');
    bench.attach();
    expect(await knock(bench, peerKey, PEER, OWN)).toBe('LEASE_NOT_MINE');
  });

  it('lets nobody in any more once the member has ended, and is down then, once', async () => {
    const carrier = createCarrier();
    await using bench = await openLeaseBench(carrier);
    await plan(bench);
    await Promise.all([1, 2].map(() => stopMember(bench.desk, bench.leaseId, 'test')));
    await stopMember(bench.desk, bench.leaseId, 'again');
    expect(await knock(bench, peerKey, PEER, OWN)).toBe('MEMBER_NOT_STARTED');
    expect(carrier.closed).toEqual([OWN]);
    expect(carrier.plans).toHaveLength(1);
    expect((await memberStatus(bench.desk, recordOf(bench))).network).toBeUndefined();
  });

  it('lets a rank open only so many ways a minute', async () => {
    await using bench = await openLeaseBench(createCarrier());
    await plan(bench);
    for (let opened = 0; opened < 60; opened += 1) expect(await knock(bench, peerKey, PEER, OWN)).toBe('let in');
    expect(await knock(bench, peerKey, PEER, OWN)).toBe('NOT_ALLOWED');
    await bench.clock.advance(60_000);
    expect(await knock(bench, peerKey, PEER, OWN)).toBe('let in');
  });

  it('shows the renter how many ranks are reached', async () => {
    await using bench = await openLeaseBench(createCarrier());
    await plan(bench);
    const { network } = await memberStatus(bench.desk, recordOf(bench));
    expect(network).toEqual({ others: 1, direct: 0, relayed: 0 });
  });

  it('is taken up again after the agent was killed, and removed if the member had ended by then', async () => {
    const carrier = createCarrier();
    await using bench = await openLeaseBench(carrier);
    await plan(bench);
    await using second = await bench.restart();
    await recoverMembers(second.desk);
    expect(carrier.plans).toHaveLength(2);
    expect(carrier.plans[1]).toEqual(carrier.plans[0]);
    expect(await knock(second, peerKey, PEER, OWN)).toBe('let in');
    // Killed between writing that it has ended and acting on it.
    second.desk.context.members.save({ ...recordOf(second), state: 'stopped', reason: 'test' });
    await using third = await second.restart();
    await recoverMembers(third.desk);
    await recoverMembers(third.desk);
    expect(carrier.removed).toHaveLength(1);
    expect(carrier.plans).toHaveLength(2);
  });

  it('ends a member whose network cannot be taken up again', async () => {
    const carrier = createCarrier();
    let isBroken = false;
    await using bench = await openLeaseBench({
      ...carrier,
      open: async (plan, options) => {
        if (isBroken) throw new LatentError('NETWORK_UNAVAILABLE', 'The TUN device is gone.');
        return carrier.open(plan, options);
      },
    });
    await plan(bench);
    isBroken = true;
    await using later = await bench.restart();
    await recoverMembers(later.desk);
    expect(recordOf(later)).toMatchObject({
      state: 'stopped',
      reason: 'NETWORK_UNAVAILABLE: The TUN device is gone.',
    });
  });

  it('has the rank that the job is started with', async () => {
    await using bench = await openLeaseBench(createCarrier());
    await plan(bench);
    expect(await codeOf(start(bench, 2))).toBe('NOT_ALLOWED');
    expect(recordOf(bench).state).toBe('attached');
    await start(bench);
    expect(recordOf(bench).job?.rank).toBe(OWN);
  });
});
