import { Admission } from '../admission.ts';
import { bookHint, MAX_HINTS, udpHint } from '../hints.ts';
import { every } from '../timers.ts';
import type { Listener } from '../transport.ts';
import { answerKnocks } from '../udp/answer-knocks.ts';
import { formatUdpAddress } from '../udp/udp-address.ts';
import type { UdpPort } from '../udp/udp-port.ts';
import { type AcceptIntroductionsOptions, acceptIntroductions } from './accept-introductions.ts';
import { isGlobalAddress, type OwnUdpSide, REDISCOVER_MS } from './udp-side.ts';

export interface ListenForPeersOptions extends AcceptIntroductionsOptions {
  readonly port: UdpPort;
  /** As it was asked for: a wildcard or one address. */
  readonly address: string;
  readonly udp: OwnUdpSide;
}

/** Lets peers in: those who knock at our UDP port, and those whom a book introduces. */
export function listenForPeers(options: ListenForPeersOptions): Pick<Listener, 'hints' | 'settled'> {
  const { port, signal, accepted, books, links, udp } = options;
  answerKnocks(port, {
    keyPair: options.keyPair,
    handshakeTimeoutMs: options.handshakeTimeoutMs,
    admission: new Admission(options.limits),
    signal,
    onPath: (path, settled) => accepted.take(path, settled),
    onRefused: options.onRefused,
  });
  const settled = acceptIntroductions(options);
  // An introduction is then answered at once; and the NAT keeps the mapping that books know.
  const rediscover = () => {
    for (const book of books) void udp.discoverBy(links.use(book), signal);
  };
  signal.addEventListener('abort', every(REDISCOVER_MS, rediscover));
  rediscover();
  const isWildcard = options.address === '0.0.0.0' || options.address === '::';
  const own = port.localAddresses().filter(({ host }) => !isWildcard || isGlobalAddress(host));
  const hints = own.map((address) => udpHint(formatUdpAddress(address)));
  return { hints: [...hints.slice(0, Math.max(0, MAX_HINTS - books.length)), ...books.map(bookHint)], settled };
}
