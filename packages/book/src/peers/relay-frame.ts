import { setImmediate as nextTurn } from 'node:timers/promises';
import { decodeRelayFrame, LatentError, RELAY_HEADER_BYTES, writeRelayChannel } from '@latent/protocol';
import type { Channel, ChannelEnd } from './channel.ts';
import { closedWords } from './closed-words.ts';
import type { Link } from './link.ts';
import type { PeersContext } from './peers-context.ts';

/**
 * Passes a frame on to the other side of its channel, without a copy: the buffer is written to. Frames of channels that are
 * not open are dropped without a word, as one that was just closed may have some on their way.
 * @throws LatentError MESSAGE_INVALID
 */
export function relayFrame(peers: PeersContext, link: Link, frame: Buffer): void {
  limitReading(peers, link, frame.byteLength);
  const decoded = decodeRelayFrame(frame);
  if (decoded === undefined) {
    throw new LatentError('MESSAGE_INVALID', `A frame to relay has ${RELAY_HEADER_BYTES} bytes at least.`);
  }
  const from = link.ends.get(decoded.channel);
  if (from === undefined || !from.channel.isOpen) return;
  const { channel } = from;
  const verdict = peers.held.holds(channel) ? 'wait' : admitBytes(peers, channel, frame.byteLength);
  if (verdict === 'relay') forwardFrame(peers, from, frame);
  else if (verdict === 'over') peers.channels.cut(channel, closedWords.usedUp);
  else peers.held.hold(from, frame);
}

/** Counts bytes of a channel to what its opener has without payment, else to what it pays for. */
export function admitBytes(
  { paid, allowances }: Pick<PeersContext, 'paid' | 'allowances'>,
  { opener: { link } }: Channel,
  bytes: number,
): 'relay' | 'wait' | 'over' {
  if (link.allowance.take(bytes)) {
    link.noteAllowance();
    return 'relay';
  }
  const verdict = paid.take(link.key, bytes);
  if (verdict === 'relay') allowances.countPaid(bytes);
  return verdict;
}

/** Sends a frame, which was counted, on its way. */
export function forwardFrame(
  { channels, backlog }: Pick<PeersContext, 'channels' | 'backlog'>,
  from: ChannelEnd,
  frame: Buffer,
): void {
  const { channel, other: to } = from;
  if (from === channel.target) channels.answered(channel);
  writeRelayChannel(frame, to.number);
  const hasToWait = to.link.outgoing.sendFrame(to, frame);
  const overflowing = hasToWait ? backlog.overflowing(to) : undefined;
  if (overflowing !== undefined) channels.cut(overflowing.channel, closedWords.overflow);
}

/** A link may send so much, then it is the turn of everything else that the book has to do. */
const TURN_BYTES = 64 * 1024;
/** What a frame counts for at least: the smallest ones cost as much to pass on as this. */
const MIN_FRAME_BYTES = 4 * 1024;

function limitReading(peers: PeersContext, link: Link, bytes: number): void {
  const counted = Math.max(bytes, MIN_FRAME_BYTES);
  link.rate.spend(counted);
  link.turnBytes += counted;
  if (!link.isHeldBack && link.turnBytes >= TURN_BYTES) void holdBack(peers, link);
}

/**
 * Reads nothing more from a link until everybody else had a turn, and it is within its rate: its peer feels it, and nobody
 * else does.
 */
async function holdBack({ clock, signal }: PeersContext, link: Link): Promise<void> {
  link.holdBack(true);
  await nextTurn();
  for (let waitMs = link.rate.msToWait(); waitMs > 0 && link.isOpen; waitMs = link.rate.msToWait()) {
    const isOver = await clock.sleep(waitMs, { signal }).then(
      () => false,
      () => true,
    );
    if (isOver) return;
  }
  link.turnBytes = 0;
  link.holdBack(false);
}
