import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LatentError, toLatentError } from '@latent/protocol';
import type { EncryptedStream, PeerAddress, Transport } from '@latent/transport';
import type { Counts } from './notes.ts';

const WORDS_KEPT = 10;
const SMALL_BYTES = 400;
const LARGE_BYTES = 64 * 1024;
const TIMEOUT_MS = 45_000;
const AGAIN_MS = 50;

/** Counts as it goes. */
export type Tally = { -readonly [Name in keyof Counts]: Counts[Name] };

export function createTally(): Tally {
  return {
    calls: 0,
    dropped: 0,
    echoes: 0,
    connections: 0,
    missed: 0,
    resumed: 0,
    upgraded: 0,
    failures: 0,
    words: [],
  };
}

export function noteFailure(tally: Tally, where: string, thrown: unknown): void {
  tally.failures += 1;
  if (tally.words.length < WORDS_KEPT) tally.words.push(`${where}: ${String(thrown)}`);
}

/** Uses a peer as one may: mostly small calls, some large ones, some streams dropped in the middle, some datagrams. */
export async function exercise(transport: Transport, peer: PeerAddress, tally: Tally): Promise<void> {
  const stream = await connectAtLast(transport, peer, tally);
  const kind = randomInt(20);
  try {
    if (kind === 0) {
      await stream.send(randomBytes(SMALL_BYTES));
      tally.dropped += 1;
      return;
    }
    if (kind === 1) stream.sendDatagram(randomBytes(SMALL_BYTES));
    const messages = kind < 4 ? [LARGE_BYTES, LARGE_BYTES, 1] : [randomInt(1, SMALL_BYTES)];
    await echoAll(
      stream,
      messages.map((size) => randomBytes(size)),
    );
    tally.calls += 1;
  } finally {
    stream.destroy();
  }
}

/** While a path is looked for, and the peer itself has lost its book, a new stream may fail: then it is tried again, as callers do. */
export async function connectAtLast(transport: Transport, peer: PeerAddress, tally: Tally): Promise<EncryptedStream> {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), TIMEOUT_MS);
  try {
    for (;;) {
      try {
        return await transport.connect(peer, giveUp);
      } catch (thrown) {
        if (toLatentError(thrown).code !== 'PEER_UNREACHABLE' || giveUp.signal.aborted) throw thrown;
        tally.missed += 1;
        await sleep(AGAIN_MS);
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

async function echoAll(stream: EncryptedStream, sent: readonly Buffer[]): Promise<void> {
  const received = (async () => {
    const messages: Uint8Array[] = [];
    for await (const message of stream.messages()) messages.push(message);
    return messages;
  })();
  // Whoever sends meets the same failure, and is the one that tells.
  received.catch(() => undefined);
  for (const message of sent) await stream.send(message);
  await stream.end();
  const messages = await received;
  const isSame =
    messages.length === sent.length && sent.every((message, at) => message.equals(messages[at] ?? message));
  if (!isSame)
    throw new LatentError('INTERNAL', `${sent.length} messages came back as ${messages.length}, or altered.`);
}
