import type { Clock, Logger } from '@latent/kit';
import { LatentError, type LeaseId, NETWORK_INTERFACE } from '@latent/protocol';
import type { EncryptedStream } from '@latent/transport';
import { dropNamespace, type HeldNamespace, holdNamespace } from './namespace/held-namespace.ts';
import { MAX_PACKET_BYTES, readHeader, toAddressNumber } from './packet.ts';
import { openTun, type Tun } from './tun/open-tun.ts';
import { WayToRank } from './way-to-rank.ts';

/** Who is in the network, as this member sees it. */
export interface MemberNetworkPlan {
  readonly leaseId: LeaseId;
  readonly rank: number;
  /** IPv4 address of this member. */
  readonly address: string;
  readonly prefixLength: number;
  readonly others: readonly { readonly rank: number; readonly address: string }[];
}

export interface MemberNetworkOptions {
  /** Folder of this network alone, where the next life of the agent finds what this one made. Created where it is missing. */
  readonly stateDir: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Aborts when the agent ends: streams are dropped, the namespace stays for its next life. */
  readonly signal: AbortSignal;
  /** Opens a stream to another rank. Called again, ever less often, for as long as there is none. */
  readonly openStream: (rank: number) => Promise<EncryptedStream>;
}

/** How another rank is reached at present. */
export interface NetworkWay {
  readonly rank: number;
  /** Undefined while there is none, and packets for it are lost. */
  readonly stream: EncryptedStream | undefined;
  /** Bytes of packets, since this life of the agent began. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Packets for it that were lost here, as there was no stream or no room. */
  readonly droppedPackets: number;
}

/** One member's end of the private network of its lease: a network namespace that has `lo` and `latent0` in it, both up. */
export interface MemberNetwork {
  /** File that stands for the namespace, as `nsenter --net=…` takes it. The same for as long as the network lasts. */
  readonly namespacePath: string;
  /** IPv4 address to resolve names at, where the network has a way out (`egress/with-egress.ts`). */
  readonly nameserver?: string;
  ways(): readonly NetworkWay[];
  /** Takes a stream over that another rank opened; the caller has checked that its key is the one of that rank. */
  accept(rank: number, stream: EncryptedStream): void;
  /** Drops the streams and removes the namespace. What still runs in it keeps it, without a way out. Never throws. */
  close(): Promise<void>;
}

/** Largest packet: TCP then comes in pieces of this size, which costs half of what small ones do (docs/decisions/0022). */
const MTU = 65_000;
/** Then others have their turn. */
const PACKETS_AT_ONCE = 64;

/**
 * Brings a member's end of its private network up, or takes up what an earlier life of the agent left.
 * @throws LatentError NETWORK_UNAVAILABLE; nothing is left then but what was there before
 */
export async function openMemberNetwork(
  plan: MemberNetworkPlan,
  options: MemberNetworkOptions,
): Promise<MemberNetwork> {
  const { clock, logger, signal } = options;
  const { namespace, tun } = await bringUp(plan, options);
  const ending = new AbortController();
  const own = toAddressNumber(plan.address);
  const ways = plan.others.map(({ rank, address }) => {
    const at = { ownRank: plan.rank, rank, own, other: toAddressNumber(address) };
    const deliver = (packet: Uint8Array) => tun.write(packet);
    return new WayToRank({ ...at, clock, logger, signal: ending.signal, openStream: options.openStream, deliver });
  });
  const byRank = new Map(ways.map((way) => [way.rank, way]));
  carryPackets(tun, own, new Map(plan.others.map(({ rank, address }) => [toAddressNumber(address), byRank.get(rank)])));

  const letGo = () => {
    ending.abort();
    for (const way of ways) way.close();
    tun.close();
  };
  signal.addEventListener('abort', letGo, { once: true });
  if (signal.aborted) letGo();
  return {
    namespacePath: namespace.path,
    ways: () => ways.map(toNetworkWay),
    accept: (rank, stream) => {
      const way = byRank.get(rank);
      if (way === undefined || ending.signal.aborted) stream.destroy();
      else way.accept(stream);
    },
    close: async () => {
      signal.removeEventListener('abort', letGo);
      letGo();
      await removeMemberNetwork(options);
    },
  };
}

/** Removes what an earlier life of the agent brought up, without taking it up again. Repeatable; never throws. */
export async function removeMemberNetwork({
  stateDir,
  clock,
  logger,
}: Pick<MemberNetworkOptions, 'stateDir' | 'clock' | 'logger'>): Promise<void> {
  try {
    await dropNamespace(stateDir, { clock });
  } catch (error) {
    logger.error({ error, stateDir }, 'the namespace of a private network could not be removed');
  }
}

async function bringUp(
  { leaseId, address, prefixLength }: MemberNetworkPlan,
  options: MemberNetworkOptions,
): Promise<{ readonly namespace: HeldNamespace; readonly tun: Tun }> {
  const { stateDir, signal } = options;
  try {
    signal.throwIfAborted();
    const namespace = await holdNamespace(stateDir);
    const device = { name: NETWORK_INTERFACE, address, prefixLength, mtu: MTU };
    return { namespace, tun: await openTun(namespace, device, { signal }) };
  } catch (cause) {
    if (!signal.aborted) await removeMemberNetwork(options);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LatentError('NETWORK_UNAVAILABLE', `The private network cannot be brought up: ${reason}.`, {
      cause,
      details: { leaseId },
    });
  }
}

/** Takes what the job sends, and hands on what goes to a member: nothing else leaves, and in nobody else's name. */
function carryPackets(tun: Tun, own: number, ways: ReadonlyMap<number, WayToRank | undefined>): void {
  const memory = new Uint8Array(MAX_PACKET_BYTES);
  tun.watch(() => {
    for (let left = PACKETS_AT_ONCE; left > 0; left -= 1) {
      const length = tun.read(memory);
      if (length === 0) return;
      const packet = memory.subarray(0, length);
      const header = readHeader(packet);
      if (header?.source === own && header.totalBytes === length) ways.get(header.destination)?.send(packet);
    }
  });
}

function toNetworkWay({ rank, stream, sentBytes, receivedBytes, droppedPackets }: WayToRank): NetworkWay {
  return { rank, stream, sentBytes, receivedBytes, droppedPackets };
}
