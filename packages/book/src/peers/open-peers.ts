import type { Store } from '@latent/kit';
import { MAX_RELAY_PAYLOAD_BYTES, PEER_LINK_PATH, RELAY_HEADER_BYTES } from '@latent/protocol';
import { createRateLimiter } from '../intake/rate-limiter.ts';
import type { SocketRoute } from '../sockets/serve-sockets.ts';
import { Wheel } from '../sockets/wheel.ts';
import { carryLink } from './carry-link.ts';
import { HeldFrames } from './held-frames.ts';
import { closeUnanswered } from './introduce-peers.ts';
import { createLinkRoster } from './link-roster.ts';
import { OpenChannels } from './open-channels.ts';
import type { PeersContext, PeersDependencies } from './peers-context.ts';
import { openRelayAllowances } from './relay-allowance.ts';
import { RelayBacklog } from './relay-backlog.ts';
import { admitBytes, forwardFrame } from './relay-frame.ts';
import { createRelayRates } from './relay-rates.ts';
import { serveDiscovery } from './serve-discovery.ts';

/** How often links are looked after, a part of them each time. */
export const TEND_MS = 1_000;
/** How long a link may stay without having shown whose it is: at least so long, and a `TEND_MS` more at most. */
export const HELLO_MS = 10_000;
/** How often a link is pinged; it is dropped when the next ping is due and it gave no sign of life since the last one. */
export const PING_MS = 20_000;
/** How long a channel may stay without an answer. */
export const ANSWER_MS = 30_000;

/** What a book does for peers: links, introductions, the relay, address discovery. */
export interface PeerService {
  /** Serves their links. */
  readonly route: SocketRoute;
  readonly status: () => PeersStatus;
  /** To be called every `TEND_MS`: pings, drops who is silent, writes down what was relayed. */
  readonly tend: () => void;
  /** Ends address discovery, and writes down what was relayed. To be called when the links have ended. */
  readonly close: () => Promise<void>;
}

export interface PeersStatus {
  readonly links: number;
  readonly channels: number;
  /** Since the day began in UTC, both ways. */
  readonly relayedBytes: number;
}

/** @throws LatentError CONFIG_INVALID if the ports of address discovery cannot be had */
export async function openPeers(given: PeersDependencies, store: Store): Promise<PeerService> {
  const { options, clock, logger } = given;
  const discovery = options.discovery ? await startDiscovery(given) : undefined;
  const host = options.discoveryHost;
  const [channels, backlog] = [new OpenChannels(), new RelayBacklog(options)];
  const allowances = openRelayAllowances(options, { store, clock, logger });
  const held = new HeldFrames({
    channels,
    ...{ perChannel: options.relayQueueBytesPerChannel, perPeer: options.relayQueueBytesPerLink },
    inAll: options.relayQueueBytes,
    admit: (channel, bytes) => admitBytes({ paid: given.paid, allowances }, channel, bytes),
    forward: (from, frame) => forwardFrame({ channels, backlog }, from, frame),
    ...{ clock, signal: given.signal },
  });
  const peers: PeersContext = {
    ...{ ...given, channels, backlog, held, allowances },
    discovery: discovery && { ports: discovery.ports, ...(host === undefined ? {} : { host }) },
    roster: createLinkRoster(),
    rates: createRelayRates(options, clock),
    introductionsByKey: createRateLimiter(options.introductionsPerMinutePerKey, clock),
    introductionsByPlace: createRateLimiter(options.introductionsPerMinutePerAddress, clock),
    strangers: new Wheel(HELLO_MS / TEND_MS + 1),
    pinged: new Wheel(PING_MS / TEND_MS),
  };
  given.paid.onRoom = () => held.release();
  return {
    route: {
      path: PEER_LINK_PATH,
      maxMessageBytes: RELAY_HEADER_BYTES + MAX_RELAY_PAYLOAD_BYTES,
      carry: (socket, caller, gather) => carryLink(peers, { socket, gather }, caller),
    },
    status: () => ({
      links: peers.roster.size,
      channels: peers.channels.count,
      relayedBytes: peers.allowances.relayedToday(),
    }),
    tend: () => {
      peers.strangers.turn((stranger) => stranger.drop());
      peers.pinged.turn((link) => link.ping());
      closeUnanswered(peers, clock.nowMs() - ANSWER_MS);
      peers.allowances.save();
      given.paid.save();
    },
    close: async () => {
      await discovery?.close();
      peers.allowances.save();
      given.paid.save();
    },
  };
}

function startDiscovery({ options, clock, logger }: PeersDependencies) {
  const { discoveryAddress, address, discoveryPorts, discoveryQuestionsPerMinute } = options;
  return serveDiscovery(
    { address: discoveryAddress ?? address, ports: discoveryPorts },
    { limiter: createRateLimiter(discoveryQuestionsPerMinute, clock), logger },
  );
}
