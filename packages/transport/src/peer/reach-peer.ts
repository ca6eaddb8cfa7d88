import { LatentError, type PeerKey, toLatentError } from '@latent/protocol';
import { hexOfBytes } from '../hex.ts';
import { parseHints } from '../hints.ts';
import { type KeyPair, randomBytes } from '../key-pair.ts';
import { type BookLink, type LinkChannel, type Meeting, WITHOUT_UDP } from '../link/book-link.ts';
import type { Path } from '../paths/path.ts';
import { securePath } from '../paths/secure-path.ts';
import { after } from '../timers.ts';
import type { PeerAddress } from '../transport.ts';
import type { BookLinks } from './book-links.ts';

/** A UDP hint gets this head start on the next one; the delay of RFC 8305. */
const STAGGER_MS = 250;
/** Books are asked when a peer's own addresses have had this time, so that neighbours do not trouble one. */
const BOOK_DELAY_MS = 300;
/** Each further book waits so long for those before it. */
const NEXT_BOOK_MS = 1_000;
const MAX_BOOKS = 3;
const TOKEN_BYTES = 16;

/** What is needed of a link to ask its book where our UDP socket is seen. */
export type AskedBook = Pick<BookLink, 'bookUrl' | 'challenged'>;

/** What a machine with UDP can do that a browser cannot. */
export interface UdpSide {
  knock(hint: string, key: PeerKey, signal: AbortSignal): Promise<Path>;
  punch(hole: PunchWith, key: PeerKey, signal: AbortSignal): Promise<Path>;
  /** What to tell a peer of our UDP socket; undefined while the book has not said where it is seen. */
  knownMeeting(link: AskedBook): Meeting | undefined;
  /** What to tell a peer of our UDP socket, as far as it is known now; waits a moment for a first answer of the book. */
  meeting(link: AskedBook, signal: AbortSignal): Promise<Meeting>;
  /** What books said of our address may be true no more: it is asked anew when it is needed next. */
  forget(): void;
}

export interface PunchWith {
  readonly token: string;
  readonly own: Meeting;
  readonly remote: Meeting;
}

export interface Reach {
  readonly keyPair: KeyPair;
  readonly links: BookLinks;
  readonly udp: UdpSide | undefined;
  readonly handshakeTimeoutMs: number;
}

export interface ReachOptions {
  readonly peer: PeerAddress;
  /** A relayed path would do, until there is a direct one. */
  readonly wantsRelay: boolean;
  /** Each path that the peer's key was proven on; may be called more than once. */
  readonly onPath: (path: Path) => void;
  readonly signal: AbortSignal;
}

/**
 * Tries all ways to a peer at once, each in its turn: its own addresses, and, by its books, a relay and a hole through the NATs.
 * @returns why ways failed, once all have been tried. Never rejects
 */
export async function reachPeer(reach: Reach, options: ReachOptions): Promise<readonly LatentError[]> {
  const { udp, books } = parseHints(options.peer.hints);
  const limit = AbortSignal.any([options.signal, AbortSignal.timeout(reach.handshakeTimeoutMs)]);
  const errors: LatentError[] = [];
  const tryWay = async (delayMs: number, way: (signal: AbortSignal) => Promise<void>) => {
    try {
      if (await waited(delayMs, limit)) await way(limit);
    } catch (thrown) {
      errors.push(toLatentError(thrown));
    }
  };
  const ownSide = reach.udp;
  const knocks =
    ownSide === undefined
      ? []
      : udp.map((hint, at) =>
          tryWay(at * STAGGER_MS, async (signal) =>
            options.onPath(await ownSide.knock(hint, options.peer.key, signal)),
          ),
        );
  const bookDelayMs = knocks.length > 0 ? BOOK_DELAY_MS : 0;
  const introductions = books
    .slice(0, MAX_BOOKS)
    .map((book, at) => tryWay(bookDelayMs + at * NEXT_BOOK_MS, (signal) => meetAtBook(reach, book, options, signal)));
  await Promise.all([...knocks, ...introductions]);
  if (knocks.length + introductions.length === 0) {
    errors.push(
      new LatentError('PEER_UNREACHABLE', 'No hint tells where the peer can be reached from here.', {
        hint: 'A hint looks like udp://host:port or book+https://host.',
        details: { peer: options.peer.key, hints: options.peer.hints.length },
      }),
    );
  }
  return errors;
}

/**
 * Takes both ways that a book opens. Where it has yet to say at which address we are seen, what is relayed does not wait for that: the
 * hole has an introduction of its own then.
 */
async function meetAtBook(reach: Reach, bookUrl: string, options: ReachOptions, signal: AbortSignal): Promise<void> {
  const { wantsRelay: relays } = options;
  const { udp } = reach;
  const link = reach.links.use(bookUrl);
  // Our hello is on its way then. What follows it is read if it was good, so that nothing waits for the welcome.
  const discovery = await unlessAborted(link.challenged, signal);
  const at = { reach, link, options, signal };
  if (udp === undefined) return await meet(at, { own: WITHOUT_UDP, relays, udp });
  const known = discovery === undefined ? await udp.meeting(link, signal) : udp.knownMeeting(link);
  if (known !== undefined) return await meet(at, { own: known, relays, udp });
  const relayed = relays ? [meet(at, { own: WITHOUT_UDP, relays, udp: undefined })] : [];
  const direct = udp.meeting(link, signal).then((own) => meet(at, { own, relays: false, udp }));
  throwIfAllFailed(await Promise.allSettled([...relayed, direct]));
}

interface AtBook {
  readonly reach: Reach;
  readonly link: BookLink;
  readonly options: ReachOptions;
  readonly signal: AbortSignal;
}

interface Ways {
  readonly own: Meeting;
  readonly relays: boolean;
  /** Undefined: no hole is wanted. */
  readonly udp: UdpSide | undefined;
}

/** One introduction, and the ways that it is for. */
async function meet({ reach, link, options, signal }: AtBook, { own, relays, udp }: Ways): Promise<void> {
  const { peer, onPath } = options;
  const { bookUrl } = link;
  const token = hexOfBytes(randomBytes(TOKEN_BYTES));
  const channel = link.introduce(peer.key, token, own);
  const ways = [
    ...(relays ? [relayThrough(reach, { bookUrl, channel, peer, signal }).then(onPath)] : []),
    ...(udp === undefined ? [] : [punchBy(udp, { channel, own, token, peer, signal }).then(onPath)]),
  ];
  const results = await Promise.allSettled(ways);
  if (!relays || results[0]?.status === 'rejected') channel.bytes.destroy();
  throwIfAllFailed(results);
}

function throwIfAllFailed(results: readonly PromiseSettledResult<void>[]): void {
  const failed = results.filter((result) => result.status === 'rejected');
  const [first] = failed;
  if (first !== undefined && failed.length === results.length) throw first.reason;
}

interface Introduced {
  readonly channel: LinkChannel;
  readonly peer: PeerAddress;
  readonly signal: AbortSignal;
}

async function relayThrough(reach: Reach, at: Introduced & { readonly bookUrl: string }): Promise<Path> {
  const { channel, peer, signal, bookUrl } = at;
  // The channel may be refused while the handshake waits for its answer.
  const refused = new AbortController();
  channel.answered.catch((reason: unknown) => refused.abort(reason));
  const path = await securePath(channel.bytes, {
    keyPair: reach.keyPair,
    isInitiator: true,
    hasPackets: false,
    route: () => ({ kind: 'relayed', through: `book ${bookUrl}` }),
    signal: AbortSignal.any([signal, refused.signal]),
  });
  if (path.remoteKey === peer.key) return path;
  path.destroy();
  throw new LatentError('PEER_WRONG_KEY', `Through ${bookUrl} somebody answered with another key than the peer's.`, {
    details: { expected: peer.key, actual: path.remoteKey },
  });
}

async function punchBy(
  udp: UdpSide,
  at: Introduced & { readonly own: Meeting; readonly token: string },
): Promise<Path> {
  const { channel, own, token, peer, signal } = at;
  const remote = await unlessAborted(channel.answered, signal);
  if (remote.addresses.length === 0) {
    throw new LatentError('PEER_UNREACHABLE', 'The peer has no UDP address that could be reached.');
  }
  return await udp.punch({ token, own, remote }, peer.key, signal);
}

/** @returns false when the signal aborted first */
function waited(delayMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  if (delayMs === 0) return Promise.resolve(true);
  return new Promise((resolve) => {
    const onAbort = () => {
      stop();
      resolve(false);
    };
    const stop = after(delayMs, () => {
      signal.removeEventListener('abort', onAbort);
      resolve(true);
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** The work's result, unless the signal aborts before: then its reason. */
export async function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
