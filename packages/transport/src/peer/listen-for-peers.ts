import { type LatentError, toLatentError } from '@latent/protocol';
import { bookHint, udpHint } from '../hints.ts';
import type { KeyPair } from '../key-pair.ts';
import type { Introduction } from '../link/book-link.ts';
import type { Path } from '../paths/path.ts';
import { securePath } from '../paths/secure-path.ts';
import { Admission, type ConnectionLimits } from '../tcp/admission.ts';
import { after, every } from '../timers.ts';
import { answerKnocks } from '../udp/answer-knocks.ts';
import { formatUdpAddress } from '../udp/udp-address.ts';
import type { UdpPort } from '../udp/udp-port.ts';
import type { AcceptedPeers } from './accepted-peers.ts';
import type { BookLinks } from './book-links.ts';
import { isGlobalAddress, type OwnUdpSide, REDISCOVER_MS } from './udp-side.ts';

export interface ListenForPeersOptions {
  readonly keyPair: KeyPair;
  readonly port: UdpPort;
  /** As it was asked for: a wildcard or one address. */
  readonly address: string;
  readonly udp: OwnUdpSide;
  readonly links: BookLinks;
  /** Books by which others find us. */
  readonly books: readonly string[];
  readonly accepted: AcceptedPeers;
  readonly handshakeTimeoutMs: number;
  readonly limits: ConnectionLimits;
  readonly onRefused: (refusal: { readonly remoteAddress: string; readonly error: LatentError }) => void;
  readonly signal: AbortSignal;
}

/** Lets peers in: those who knock at our UDP port, and those whom a book introduces. @returns hints for an ask */
export function listenForPeers(options: ListenForPeersOptions): readonly string[] {
  const { port, signal, accepted, books, links, onRefused } = options;
  answerKnocks(port, {
    keyPair: options.keyPair,
    handshakeTimeoutMs: options.handshakeTimeoutMs,
    admission: new Admission(options.limits),
    signal,
    onPath: (path, settled) => accepted.take(path, settled),
    onRefused,
  });
  const introductions = new Admission(options.limits);
  for (const book of books) {
    const release = links.keep(book, {
      onIntroduction: (introduction) => receiveIntroduction(introduction, book, options, introductions),
      onEnded: (bookUrl, error) => onRefused({ remoteAddress: bookUrl, error }),
    });
    signal.addEventListener('abort', release);
  }
  const rediscover = () => {
    for (const book of books) void options.udp.discoverBy(links.use(book), signal);
  };
  signal.addEventListener('abort', every(REDISCOVER_MS, rediscover));
  rediscover();
  const isWildcard = options.address === '0.0.0.0' || options.address === '::';
  const own = port.localAddresses().filter(({ host }) => !isWildcard || isGlobalAddress(host));
  return [...own.map((address) => udpHint(formatUdpAddress(address))), ...books.map(bookHint)].slice(0, MAX_ASK_HINTS);
}

/** What an ask holds. */
const MAX_ASK_HINTS = 8;

/** Answers who was introduced, and awaits both ways that this opens: through the book, and through a hole. */
function receiveIntroduction(
  introduction: Introduction,
  bookUrl: string,
  options: ListenForPeersOptions,
  admission: Admission,
): void {
  const { channel, from } = introduction;
  const admitted = admission.admit(from);
  if (admitted === undefined) {
    channel.bytes.destroy();
    return;
  }
  channel.bytes.on('close', () => admitted.release());
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
  void answer(introduction, bookUrl, options, limit).then(
    (path) => {
      if (path !== undefined) take(path);
    },
    // Most holes cannot be punched: that is no event.
    () => undefined,
  );
}

async function answer(
  { channel, token, addresses, streamId, messageBytes }: Introduction,
  bookUrl: string,
  { udp, links }: ListenForPeersOptions,
  signal: AbortSignal,
): Promise<Path | undefined> {
  const own = await udp.meeting(links.use(bookUrl), signal);
  channel.answer(own);
  if (addresses.length === 0) return undefined;
  return await udp.awaitPunch({ token, own, remote: { addresses, streamId } }, messageBytes, signal);
}
