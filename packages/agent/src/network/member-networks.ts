import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Logger } from '@latent/kit';
import {
  LatentError,
  type LeaseId,
  NETWORK_PREFIX_LENGTH,
  type NetworkAbility,
  type NetworkStatus,
  networkAddress,
  networkName,
  toLatentError,
} from '@latent/protocol';
import { agentMethods } from '@latent/sdk';
import { type EncryptedStream, type MethodChannel, openMethod, type Transport } from '@latent/transport';
import type { JobNetwork } from '../drivers/driver.ts';
import { jobFolders } from '../leases/job-folders.ts';
import type { MemberRecord, PlannedNetwork } from '../leases/member-record.ts';
import type { MemberNetwork, MemberNetworkOptions, MemberNetworkPlan } from './member-network.ts';

/** The private networks that the members of this agent are in. */
export interface MemberNetworks {
  /** Whether jobs of this machine can be in one. */
  readonly ability: NetworkAbility;
  /** Brings a member's network up, or takes it up again after the agent was killed. Repeatable. @throws LatentError NETWORK_UNAVAILABLE */
  bringUp(record: MemberRecord): Promise<void>;
  /** What the member's job joins, which is up then; undefined where it is to be in none. @throws LatentError NETWORK_UNAVAILABLE */
  jobNetwork(record: MemberRecord): Promise<JobNetwork | undefined>;
  /**
   * A way from another rank, which the caller has checked.
   * @returns what carries the packets of that rank over the stream behind the answer, until either side drops it
   * @throws LatentError MEMBER_NOT_STARTED (no network is up), NOT_ALLOWED (that rank opens too many)
   */
  accept(leaseId: LeaseId, from: number): (channel: MethodChannel) => Promise<void>;
  /** Undefined where none is up. */
  status(leaseId: LeaseId): NetworkStatus | undefined;
  /** Takes down what this or an earlier life of the agent brought up for a member, if anything. Repeatable; never throws. */
  takeDown(leaseId: LeaseId): Promise<void>;
}

export interface MemberNetworksParts {
  readonly ability: NetworkAbility;
  readonly openNetwork: (plan: MemberNetworkPlan, options: MemberNetworkOptions) => Promise<MemberNetwork>;
  /** For what an earlier life of the agent opened. */
  readonly removeNetwork: (options: Pick<MemberNetworkOptions, 'stateDir' | 'clock' | 'logger'>) => Promise<void>;
  readonly transport: Transport;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborts when the agent is to end; what is up stays for its next life. */
  readonly signal: AbortSignal;
}

/** Ways that one rank may open within the window: a single one lasts for as long as both agents live. */
const MAX_OPENINGS = 60;
const OPENINGS_WINDOW_MS = 60_000;
/** For another agent to answer, connecting included. */
const OPEN_TIMEOUT_MS = 15_000;

interface KnownNetwork {
  readonly opening: Promise<MemberNetwork>;
  readonly plan: PlannedNetwork;
  /** Once it is up. */
  network: MemberNetwork | undefined;
  /** Ways that each rank opened of late. */
  readonly openings: Map<number, { readonly sinceMs: number; readonly count: number }>;
}

export function createMemberNetworks(parts: MemberNetworksParts): MemberNetworks {
  const { ability, clock, transport } = parts;
  const known = new Map<LeaseId, KnownNetwork>();
  const closing = new Map<LeaseId, Promise<void>>();

  async function ensure(record: MemberRecord, plan: PlannedNetwork): Promise<MemberNetwork> {
    const { leaseId } = record;
    const before = known.get(leaseId);
    if (before !== undefined) return before.opening;
    const opening = openFor(parts, record, plan);
    const entry: KnownNetwork = { opening, plan, network: undefined, openings: new Map() };
    known.set(leaseId, entry);
    try {
      entry.network = await opening;
      return entry.network;
    } catch (thrown) {
      known.delete(leaseId);
      throw thrown;
    }
  }

  async function close(leaseId: LeaseId): Promise<void> {
    const stateDir = stateDirOf(parts, leaseId);
    // One that failed to open has been removed by then.
    const network = await known.get(leaseId)?.opening.catch(() => undefined);
    known.delete(leaseId);
    if (network !== undefined) await network.close();
    else if (existsSync(stateDir)) await parts.removeNetwork({ stateDir, clock, logger: parts.logger });
    await rm(stateDir, { recursive: true, force: true });
  }

  return {
    ability,
    bringUp: async (record) => {
      if (record.network !== undefined) await ensure(record, record.network);
    },
    jobNetwork: async (record) => {
      if (record.network === undefined) return undefined;
      return toJobNetwork(record.network, await ensure(record, record.network));
    },
    accept: (leaseId, from) => {
      const entry = known.get(leaseId);
      if (entry?.network === undefined) {
        const text = 'The private network of the member is not up.';
        throw new LatentError('MEMBER_NOT_STARTED', text, { retry: 'later', details: { leaseId } });
      }
      const { network } = entry;
      countOpening(entry, from, clock.nowMs());
      return async (channel) => {
        network.accept(from, channel.takeOver());
        await channel.closed;
      };
    },
    status: (leaseId) => {
      const entry = known.get(leaseId);
      return entry?.network === undefined ? undefined : toStatus(entry.plan, entry.network, transport);
    },
    takeDown: async (leaseId) => {
      const work =
        closing.get(leaseId) ??
        close(leaseId)
          .catch((thrown: unknown) => {
            const { code, message } = toLatentError(thrown);
            parts.logger.error({ leaseId, code, error: message }, 'a private network may be left behind');
          })
          .finally(() => closing.delete(leaseId));
      closing.set(leaseId, work);
      await work;
    },
  };
}

function stateDirOf({ dataDir }: Pick<MemberNetworksParts, 'dataDir'>, leaseId: LeaseId): string {
  return join(jobFolders(dataDir, leaseId).root, 'network');
}

async function openFor(parts: MemberNetworksParts, record: MemberRecord, plan: PlannedNetwork): Promise<MemberNetwork> {
  const { openNetwork, transport, clock, logger, signal } = parts;
  const { leaseId } = record;
  const others = plan.ranks.filter(({ rank }) => rank !== plan.rank);
  const openStream = async (to: number): Promise<EncryptedStream> => {
    const peer = others.find(({ rank }) => rank === to);
    if (peer === undefined) throw new LatentError('INTERNAL', `The plan has no rank ${to}.`);
    const { channel } = await openMethod(
      transport,
      { key: peer.peerKey, hints: peer.hints },
      agentMethods.network,
      { leaseId, from: plan.rank, to },
      { signal, timeoutMs: OPEN_TIMEOUT_MS },
    );
    return channel.takeOver();
  };
  const network = await openNetwork(
    {
      leaseId,
      rank: plan.rank,
      address: networkAddress(plan.rank),
      prefixLength: NETWORK_PREFIX_LENGTH,
      others: others.map(({ rank }) => ({ rank, address: networkAddress(rank) })),
    },
    { stateDir: stateDirOf(parts, leaseId), logger, clock, signal, openStream },
  );
  logger.info({ leaseId, rank: plan.rank, ranks: plan.ranks.length }, 'private network up');
  return network;
}

/** @throws LatentError NOT_ALLOWED */
function countOpening({ openings }: KnownNetwork, from: number, nowMs: number): void {
  const before = openings.get(from);
  const isOld = before === undefined || nowMs >= before.sinceMs + OPENINGS_WINDOW_MS;
  const { sinceMs, count } = isOld ? { sinceMs: nowMs, count: 0 } : before;
  if (count >= MAX_OPENINGS) {
    throw new LatentError('NOT_ALLOWED', `Rank ${from} has opened ${count} ways to this member of late.`, {
      retry: 'later',
    });
  }
  openings.set(from, { sinceMs, count: count + 1 });
}

function toJobNetwork(plan: PlannedNetwork, { namespacePath, nameserver }: MemberNetwork): JobNetwork {
  return {
    ...(nameserver === undefined ? {} : { nameserver }),
    namespacePath,
    address: networkAddress(plan.rank),
    prefixLength: NETWORK_PREFIX_LENGTH,
    hosts: plan.ranks.map(({ rank }) => ({ name: networkName(rank), address: networkAddress(rank) })),
  };
}

function toStatus(plan: PlannedNetwork, network: MemberNetwork, transport: Transport): NetworkStatus {
  const routes = network.ways().flatMap(({ rank, stream }) => {
    const key = plan.ranks.find((one) => one.rank === rank)?.peerKey;
    if (stream?.route === undefined || key === undefined) return [];
    return [{ kind: stream.route.kind, roundTripMs: transport.routeTo(key)?.roundTripMs }];
  });
  const times = routes.flatMap(({ roundTripMs }) => roundTripMs ?? []);
  return {
    others: plan.ranks.length - 1,
    direct: routes.filter(({ kind }) => kind === 'direct').length,
    relayed: routes.filter(({ kind }) => kind === 'relayed').length,
    ...(times.length === 0 ? {} : { slowestMs: Math.max(...times) }),
  };
}
