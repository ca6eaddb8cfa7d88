import { isIPv4 } from 'node:net';
import { MAX_ADDRESSES } from '@latent/protocol';
import type { KeyPair } from '../key-pair.ts';
import type { Meeting } from '../link/book-link.ts';
import { discover, type Sighting, seenAddresses } from '../udp/discover.ts';
import { knock, randomStreamId } from '../udp/knock.ts';
import { awaitPunch, punch } from '../udp/punch.ts';
import { formatUdpAddress } from '../udp/udp-address.ts';
import type { UdpPort } from '../udp/udp-port.ts';
import type { AwaitingUdpSide } from './accept-introductions.ts';
import type { AskedBook, PunchWith } from './reach-peer.ts';

const DISCOVERY_TIMEOUT_MS = 1_500;
/** An introduction waits no longer for the first word of a book on our address. */
const PATIENCE_MS = 400;
/** Once there is one, the others have so long: of the book's second port, and of the other family. */
const GRACE_MS = 30;
/** What a book said is believed for so long; a listener asks again before, which also keeps its NAT open. */
export const REDISCOVER_MS = 20_000;

/** {@link AwaitingUdpSide} over a UDP port. */
export interface OwnUdpSide extends AwaitingUdpSide {
  /** Asks a book where it sees us. */
  discoverBy(link: AskedBook, signal: AbortSignal): Promise<void>;
}

interface Known {
  readonly atMs: number;
  readonly addresses: readonly string[];
  /** The IP addresses among them. */
  readonly hosts: readonly string[];
  /** Other answers are still waited for. */
  readonly isPartial: boolean;
}

interface Asking {
  readonly first: Promise<void>;
  readonly all: Promise<void>;
}

/** @param onMoved a book sees us at another host than before */
export function createUdpSide(port: UdpPort, keyPair: KeyPair, onMoved: () => void): OwnUdpSide {
  const known = new Map<string, Known>();
  const asking = new Map<string, Asking>();
  /** Grows when what was known is forgotten: what was asked before is believed no more, though it be answered after. */
  let era = 0;

  async function ask(link: AskedBook, signal: AbortSignal, onFirst: () => void): Promise<void> {
    const discovery = await link.challenged;
    if (discovery === undefined) return;
    const host = discovery.host ?? new URL(link.bookUrl).hostname;
    const before = known.get(link.bookUrl);
    const found: Sighting[] = [];
    const begun = era;
    const keep = (isPartial: boolean) => {
      if (era !== begun) return;
      const hosts = found.map(({ seen }) => seen.host);
      known.set(link.bookUrl, { atMs: performance.now(), addresses: seenAddresses(found), hosts, isPartial });
    };
    await discover(port, {
      ...{ host, ports: discovery.ports, timeoutMs: DISCOVERY_TIMEOUT_MS, signal },
      onSighting: (sighting) => {
        found.push(sighting);
        // One family may never answer: what the other says is of use at once.
        if (known.get(link.bookUrl)?.isPartial ?? true) keep(true);
        onFirst();
      },
    });
    if (found.length === 0 || era !== begun) return;
    keep(false);
    if (before !== undefined && found.some(({ seen }) => !before.hosts.includes(seen.host))) onMoved();
  }

  function startAsking(link: AskedBook, signal: AbortSignal): Asking {
    const running = asking.get(link.bookUrl);
    if (running !== undefined) return running;
    const first = Promise.withResolvers<void>();
    // A book that goes away meanwhile has told us nothing, which is what is known then.
    const all = ask(link, signal, first.resolve)
      .catch(() => undefined)
      .finally(() => {
        if (asking.get(link.bookUrl) === started) asking.delete(link.bookUrl);
      });
    const started = { first: first.promise, all };
    asking.set(link.bookUrl, started);
    return started;
  }

  function meetAt(seen: readonly string[]): Meeting {
    const local = port.localAddresses().map(formatUdpAddress);
    return { addresses: [...new Set([...seen, ...local])].slice(0, MAX_ADDRESSES), streamId: randomStreamId() };
  }

  function knownMeeting({ bookUrl }: AskedBook): Meeting | undefined {
    const fresh = known.get(bookUrl);
    const isFresh = fresh !== undefined && performance.now() - fresh.atMs <= 2 * REDISCOVER_MS;
    return isFresh ? meetAt(fresh.addresses) : undefined;
  }

  async function meeting(link: AskedBook, signal: AbortSignal): Promise<Meeting> {
    const fresh = knownMeeting(link);
    if (fresh !== undefined) return fresh;
    const { first, all } = startAsking(link, signal);
    await Promise.race([all, first.then(() => pause(GRACE_MS)), pause(PATIENCE_MS)]);
    return meetAt(known.get(link.bookUrl)?.addresses ?? []);
  }

  const toHole = ({ token, own, remote }: PunchWith) => ({
    token,
    addresses: remote.addresses,
    streamId: own.streamId,
    remoteStreamId: remote.streamId,
  });

  return {
    knock: (hint, key, signal) => knock(port, hint, key, { keyPair, signal }),
    punch: (hole, key, signal) => punch(port, toHole(hole), key, { keyPair, signal }),
    awaitPunch: (hole, maxProbeBytes, signal) => awaitPunch(port, toHole(hole), { keyPair, signal, maxProbeBytes }),
    knownMeeting,
    meeting,
    discoverBy: (link, signal) => startAsking(link, signal).all,
    forget: () => {
      era += 1;
      known.clear();
      asking.clear();
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Whether an address can be reached from anywhere, as far as its number tells. Others are not worth a hint in public. */
export function isGlobalAddress(host: string): boolean {
  if (isIPv4(host)) {
    const [a = 0, b = 0] = host.split('.').map(Number);
    const isPrivate = a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168);
    const isShared = a === 100 && b >= 64 && b < 128;
    return !isPrivate && !isShared && a !== 127 && a !== 0 && a < 224 && !(a === 169 && b === 254);
  }
  // 2000::/3 is what has been given out for unicast (RFC 4291).
  return /^[23][0-9a-f]{3}:/.test(host);
}
