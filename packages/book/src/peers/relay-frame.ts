import { setImmediate as nextTurn } from 'node:timers/promises';
import { decodeRelayFrame, LatentError, RELAY_HEADER_BYTES, writeRelayChannel } from '@latent/protocol';
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
  const { channel, other: to } = from;
  if (!channel.opener.link.allowance.take(frame.byteLength)) {
    peers.channels.cut(channel, closedWords.usedUp);
    return;
  }
  if (from === channel.target) peers.channels.answered(channel);

  writeRelayChannel(frame, to.number);
  const hasToWait = to.link.outgoing.sendFrame(to, frame);
  const overflowing = hasToWait ? peers.backlog.overflowing(to) : undefined;
  if (overflowing !== undefined) peers.channels.cut(overflowing.channel, closedWords.overflow);
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
