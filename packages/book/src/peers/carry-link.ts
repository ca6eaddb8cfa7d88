import { hex32Schema, LatentError, type PeerLinkMessage } from '@latent/protocol';
import { bytesToHex } from 'viem';
import { TokenBucket } from '../intake/token-bucket.ts';
import { publicError } from '../public-error.ts';
import type { Caller } from '../sockets/caller.ts';
import { checkHello } from './check-hello.ts';
import { answerPeer, closeAllChannels, closeChannel, introducePeer } from './introduce-peers.ts';
import { Link } from './link.ts';
import type { GatheringSocket } from './link-outgoing.ts';
import { parseLinkMessage } from './parse-link-message.ts';
import type { PeersContext } from './peers-context.ts';
import { relayFrame } from './relay-frame.ts';

/** Refused messages after which the sender is taken for hostile, or broken. */
const MAX_REFUSED = 100;
/** Messages that may be on their way when a link is closed; who sends more does not mean to say goodbye. */
const MAX_LATE = 1_000;
const POLICY_VIOLATION = 1008;
const TOO_LARGE = 1009;
/** Longest text of a refusal; see the schema. */
const MAX_REFUSAL_CHARS = 500;

/** Carries one link from its challenge to its end. Everything that a message asks for is done before the next is read. */
export function carryLink(peers: PeersContext, gathering: GatheringSocket, caller: Caller): void {
  const { socket } = gathering;
  const { options, clock, logger } = peers;
  const challenge = hex32Schema.parse(bytesToHex(peers.randomBytes(32)));
  const messages = options.messagesPerMinute;
  const allowed = new TokenBucket({ capacity: messages, perSecond: messages / 60 }, clock);
  const stranger = { drop: () => socket.terminate() };
  const strangerSlot = peers.strangers.add(stranger);
  let link: Link | undefined;
  let pingedSlot = 0;
  let refused = 0;
  let late = 0;

  const handle = (message: Buffer, isBinary: boolean) => {
    if (link === undefined) {
      link = enter(peers, { socket: gathering, caller, challenge }, isBinary ? undefined : parseLinkMessage(message));
      peers.strangers.remove(stranger, strangerSlot);
      pingedSlot = peers.pinged.add(link);
      return;
    }
    link.isAlive = true;
    if (isBinary) return relayFrame(peers, link, message);
    if (!allowed.take(1))
      throw new LatentError('BOOK_RATE_LIMITED', `At most ${messages} messages a minute are taken.`);
    const refusal = obey(peers, link, parseLinkMessage(message));
    if (refusal === 'refused') countRefusal('BOOK_RATE_LIMITED');
  };
  const countRefusal = (code: string) => {
    refused += 1;
    if (link === undefined || refused > MAX_REFUSED) socket.close(POLICY_VIOLATION, code);
  };
  const refuse = (thrown: unknown) => {
    const { code, message } = publicError(thrown, logger).toBody();
    logger.debug({ code, peer: link?.key }, 'refused a message of a peer');
    const refusal = { kind: 'refused', code, message: message.slice(0, MAX_REFUSAL_CHARS) } as const;
    if (link === undefined) socket.send(JSON.stringify(refusal));
    else link.tell(refusal);
    if (code === 'MESSAGE_TOO_LARGE') socket.close(TOO_LARGE, code);
    else countRefusal(code);
  };

  socket.on('message', (data, isBinary) => {
    if (socket.readyState !== socket.OPEN) {
      late += 1;
      if (late > MAX_LATE) socket.terminate();
    } else if (Buffer.isBuffer(data)) {
      try {
        handle(data, isBinary);
      } catch (thrown) {
        refuse(thrown);
      }
    }
  });
  socket.on('pong', () => {
    if (link !== undefined) link.isAlive = true;
  });
  socket.on('error', (error) => logger.debug({ error: error.message }, 'a link failed'));
  socket.on('close', () => {
    peers.strangers.remove(stranger, strangerSlot);
    if (link === undefined) return;
    peers.pinged.remove(link, pingedSlot);
    leave(peers, link);
  });
  socket.send(JSON.stringify({ kind: 'challenge', challenge, discovery: peers.discovery }));
}

interface Newcomer {
  readonly socket: GatheringSocket;
  readonly caller: Caller;
  readonly challenge: string;
}

/** The first message has to show whose link this is. */
function enter(peers: PeersContext, { socket, caller, challenge }: Newcomer, hello?: PeerLinkMessage): Link {
  if (hello?.kind !== 'hello') throw new LatentError('NOT_ALLOWED', 'The first message has to be a hello.');
  checkHello(hello, { challenge, urls: peers.urls });
  const { key, accepts, pays = false } = hello;
  const allowance = peers.allowances.open(key, caller);
  const link = new Link({
    key,
    caller,
    accepts,
    pays,
    socket,
    allowance,
    rate: peers.rates.open(key, caller),
    backlog: peers.backlog,
    onDrained: (end) => peers.channels.drained(end),
  });
  peers.roster.enter(link);
  peers.logger.debug({ peer: key, accepts }, 'a peer is linked');
  link.tell({ kind: 'welcome', observed: caller.ip, freeRelayBytes: allowance.left() });
  return link;
}

function leave(peers: PeersContext, link: Link): void {
  peers.roster.leave(link);
  closeAllChannels(peers, link);
  link.allowance.release();
  link.rate.release();
  peers.logger.debug({ peer: link.key }, 'a link has ended');
}

/** @returns `refused` if the peer was told so already, and is to be counted as one who asks too much */
function obey(peers: PeersContext, link: Link, message: PeerLinkMessage): 'refused' | undefined {
  switch (message.kind) {
    case 'introduce': {
      const refusal = introducePeer(peers, link, message);
      if (refusal === undefined) return;
      const { code, message: text } = refusal;
      link.tell({ kind: 'closed', channel: message.channel, code, message: text });
      return code === 'PEER_ABSENT' ? undefined : 'refused';
    }
    case 'answer':
      return void answerPeer(peers, link, message);
    case 'close':
      return void closeChannel(peers, link, message.channel);
    case 'pay':
    case 'claim':
      return void peers.paid.hear(link, message);
    case 'hello':
      throw new LatentError('MESSAGE_INVALID', 'This link has had its hello.');
    default:
      return message satisfies never;
  }
}
