import { type LatentError, toLatentError } from '@latent/protocol';
import { Admission, type ConnectionLimits } from '../admission.ts';
import type { KeyPair } from '../key-pair.ts';
import { type Introduction, WITHOUT_UDP } from '../link/book-link.ts';
import type { Path } from '../paths/path.ts';
import { securePath } from '../paths/secure-path.ts';
import { after } from '../timers.ts';
import type { AcceptedPeers } from './accepted-peers.ts';
import type { BookLinks } from './book-links.ts';
import type { PunchWith, UdpSide } from './reach-peer.ts';

/** What a listener with UDP can do beside. */
export interface AwaitingUdpSide extends UdpSide {
  awaitPunch(hole: PunchWith, maxProbeBytes: number, signal: AbortSignal): Promise<Path>;
}

export interface AcceptIntroductionsOptions {
  readonly keyPair: KeyPair;
  readonly links: BookLinks;
  /** Books by which others find us. */
  readonly books: readonly string[];
  readonly udp: AwaitingUdpSide | undefined;
  readonly accepted: AcceptedPeers;
  readonly handshakeTimeoutMs: number;
  readonly limits: ConnectionLimits;
  readonly onRefused: (refusal: { readonly remoteAddress: string; readonly error: LatentError }) => void;
  readonly signal: AbortSignal;
}

/**
 * Keeps links to books, and answers whom they introduce.
 * @returns settles when each link is there or has failed once
 */
export async function acceptIntroductions(options: AcceptIntroductionsOptions): Promise<void> {
  const { links, books, signal, onRefused } = options;
  for (const bookUrl of books) {
    // Counted by key, as behind one book everybody comes from the same address; and by book, which can make up any key.
    const admission = new Admission(options.limits);
    const release = links.keep(bookUrl, {
      onIntroduction: (introduction) => answerIntroduction(introduction, bookUrl, options, admission),
      onEnded: (book, error) => onRefused({ remoteAddress: book, error }),
    });
    signal.addEventListener('abort', release);
  }
  await Promise.allSettled(books.map((bookUrl) => links.use(bookUrl).ready));
}

/** Awaits both ways that an introduction opens: through the book, and through a hole. */
function answerIntroduction(
  introduction: Introduction,
  bookUrl: string,
  options: AcceptIntroductionsOptions,
  admission: Admission,
): void {
  const { channel, from } = introduction;
  const admitted = admission.admit(from);
  if (admitted === undefined) {
    channel.bytes.destroy();
    return;
  }
  const limit = AbortSignal.any([options.signal, AbortSignal.timeout(options.handshakeTimeoutMs)]);
  const take = (path: Path) => {
    // The path has to say what it is for in the same time.
    const stopTimer = after(options.handshakeTimeoutMs, () => path.destroy());
    options.accepted.take(path, () => {
      stopTimer();
      admitted.handshakeDone();
    });
  };
  const refuse = (thrown: unknown) => options.onRefused({ remoteAddress: bookUrl, error: toLatentError(thrown) });
  securePath(channel.bytes, {
    keyPair: options.keyPair,
    isInitiator: false,
    hasPackets: false,
    route: () => ({ kind: 'relayed', through: `book ${bookUrl}` }),
    signal: limit,
  }).then(take, refuse);
  const punching = answer(introduction, bookUrl, options, limit).then(
    (path) => {
      if (path !== undefined) take(path);
    },
    // Most holes cannot be punched: that is no event.
    () => undefined,
  );
  const relaying = new Promise<void>((resolve) => channel.bytes.on('close', resolve));
  // Whoever closes the channel at once has us wait at the hole all the same: that counts too.
  void Promise.all([relaying, punching]).then(() => admitted.release());
}

async function answer(
  { channel, token, addresses, streamId, messageBytes }: Introduction,
  bookUrl: string,
  { udp, links }: AcceptIntroductionsOptions,
  signal: AbortSignal,
): Promise<Path | undefined> {
  const own = (await udp?.meeting(links.use(bookUrl), signal)) ?? WITHOUT_UDP;
  channel.answer(own);
  if (udp === undefined || addresses.length === 0) return undefined;
  return await udp.awaitPunch({ token, own, remote: { addresses, streamId } }, messageBytes, signal);
}
