import { LatentError, type PeerKey, type PeerLinkMessage } from '@latent/protocol';
import { closedWords } from './closed-words.ts';
import type { Link } from './link.ts';
import type { PeersContext } from './peers-context.ts';

type Introduce = Extract<PeerLinkMessage, { kind: 'introduce' }>;
type Answer = Extract<PeerLinkMessage, { kind: 'answer' }>;

/** Of a link's channels, one part in so many may be opened to it from one place: nobody can take all of them. */
const PLACES_SHARE = 16;
const LEAST_SHARE = 16;

/**
 * Opens a channel to the peer that a link asks for, and tells that peer.
 * @returns why there is none, for the one who asked
 * @throws LatentError MESSAGE_INVALID if the channel is in use
 */
export function introducePeer(peers: PeersContext, link: Link, message: Introduce): LatentError | undefined {
  const { channel: number, to, token, addresses, streamId } = message;
  if (link.ends.has(number)) throw new LatentError('MESSAGE_INVALID', `Channel ${number} is open already.`);
  const refusal = refuseOpener(peers, link, to);
  if (refusal !== undefined) return refusal;
  const target = peers.roster.accepting(to);
  if (target === undefined || !target.isOpen) {
    return new LatentError('PEER_ABSENT', `Peer ${to} has no link to this book over which it can be introduced.`);
  }
  if (isBusy(peers, target, link)) {
    return new LatentError('BOOK_RATE_LIMITED', `Peer ${to} takes no more introductions for now.`);
  }
  const { target: end } = peers.channels.open(link, number, target, peers.clock.nowMs());
  target.tell({ kind: 'introduction', channel: end.number, from: link.key, token, addresses, streamId });
  return undefined;
}

/** Passes on what one side of a channel tells the other of itself: the target at first, and either when it changes. */
export function answerPeer({ channels }: PeersContext, link: Link, message: Answer): void {
  const { addresses, streamId } = message;
  const from = link.ends.get(message.channel);
  // It was closed while this was on its way.
  if (from === undefined || !from.channel.isOpen) return;
  const { channel, other } = from;
  if (from === channel.target) channels.answered(channel);
  if (other.link.isClogged) channels.cut(channel, closedWords.overflow);
  else other.link.tell({ kind: 'answer', channel: other.number, addresses, streamId });
}

export function closeChannel({ channels }: PeersContext, link: Link, number: number): void {
  const end = link.ends.get(number);
  if (end !== undefined) channels.end(end, closedWords.closed);
}

/** Ends all channels of a link that is gone. */
export function closeAllChannels({ channels }: PeersContext, link: Link): void {
  for (const end of [...link.ends.values()]) channels.end(end, closedWords.gone);
}

/** Ends the channels that nobody has answered in time. */
export function closeUnanswered({ channels }: PeersContext, openedBeforeMs: number): void {
  for (const channel of [...channels.unansweredSince(openedBeforeMs)]) channels.cut(channel, closedWords.unanswered);
}

function refuseOpener(
  { options, introductionsByKey, introductionsByPlace }: PeersContext,
  link: Link,
  to: PeerKey,
): LatentError | undefined {
  const { channelsPerLink, unansweredPerLink } = options;
  if (to === link.key) return new LatentError('NOT_ALLOWED', 'A peer is not introduced to itself.');
  if (link.ends.size >= channelsPerLink) return tooMany(`A link has at most ${channelsPerLink} channels.`);
  if (link.asked >= unansweredPerLink) {
    return tooMany(`At most ${unansweredPerLink} introductions of a link can wait for an answer.`);
  }
  if (!introductionsByKey.isAdmitted(link.key) || !introductionsByPlace.isAdmitted(link.caller.place)) {
    return tooMany('Too many introductions in this minute.');
  }
  return undefined;
}

function isBusy({ options }: PeersContext, target: Link, { caller }: Link): boolean {
  const { channelsPerLink, unansweredPerLink } = options;
  if (target.isClogged || target.wanted >= unansweredPerLink || target.ends.size >= channelsPerLink) return true;
  const fromThere = [...target.ends.values()].filter(({ other }) => other.link.caller.place === caller.place);
  return fromThere.length >= Math.max(LEAST_SHARE, channelsPerLink / PLACES_SHARE);
}

function tooMany(message: string): LatentError {
  return new LatentError('BOOK_RATE_LIMITED', message, { hint: 'Close what is not used, and wait a minute.' });
}
