import { LatentError } from '@latent/protocol';
import { type ConnectionLimits, defaultConnectionLimits } from '../admission.ts';
import type { ConnectionTimes } from '../connection/connection.ts';
import { bookHint, parseHints } from '../hints.ts';
import type { KeyPair } from '../key-pair.ts';
import { openNodeLinkSocket } from '../link/node-link-socket.ts';
import type { RelayPayer } from '../link/relay-payer.ts';
import type {
  EncryptedStream,
  Listener,
  ListenOptions,
  PayingTransport,
  PeerAddress,
  RefusedConnection,
  Transport,
} from '../transport.ts';
import { openUdpPort, type UdpPort } from '../udp/udp-port.ts';
import { AcceptedPeers } from './accepted-peers.ts';
import { createBookLinks } from './book-links.ts';
import { defaultTimes } from './default-times.ts';
import { dialPeers } from './dial-peers.ts';
import { listenForPeers } from './listen-for-peers.ts';
import { createUdpSide, type OwnUdpSide } from './udp-side.ts';
import { watchNetwork } from './watch-network.ts';

export interface PeerTransportOptions {
  readonly keyPair: KeyPair;
  /** URLs of books by which others are introduced to us, once we listen. At most 7. Default none. */
  readonly books?: readonly string[];
  /** For one search for a path, handshakes included. Default 10 s. */
  readonly handshakeTimeoutMs?: number;
  readonly times?: Partial<ConnectionTimes>;
  /** A connection that we dialled and that had no stream for so long is given up. Default 60 s. */
  readonly idleMs?: number;
  /** Of what we accept. */
  readonly limits?: Partial<ConnectionLimits>;
  /** Streams of one peer at a time. Default 256. */
  readonly maxStreamsPerConnection?: number;
  /**
   * Hears of paths that were not let in and of links to books that ended. Anybody on the network can cause these at will: do not log
   * each at a loud level.
   */
  readonly onRefused?: (refusal: RefusedConnection) => void;
  /** Pays for what books relay for us beyond what is free. Missing: nobody does. */
  readonly payer?: RelayPayer | undefined;
}

/**
 * {@link Transport} to peers behind any NAT: over UDP from machine to machine where a hole can be punched, through a book where it cannot,
 * with many streams over one connection that outlives its paths.
 */
export function createPeerTransport(options: PeerTransportOptions): PayingTransport {
  const { keyPair, handshakeTimeoutMs = 10_000 } = options;
  const times = { ...defaultTimes, ...options.times };
  const closing = new AbortController();
  let own: { readonly port: UdpPort; readonly udp: OwnUdpSide; readonly address: string } | undefined;
  const ports: UdpPort[] = [];
  let stopListening: (() => Promise<void>) | undefined;

  const links = createBookLinks({ keyPair, openSocket: openNodeLinkSocket, payer: options.payer });
  const openUdp = (address: string, port: number) => {
    const opened = openUdpPort({ address, port });
    ports.push(opened);
    own = { port: opened, udp: createUdpSide(opened, keyPair, links.check), address };
    return own;
  };
  const ownUdp = () => (own ?? openUdp('0.0.0.0', 0)).udp;
  const dialler = dialPeers({
    keyPair,
    links,
    udp: ownUdp,
    handshakeTimeoutMs,
    times,
    idleMs: options.idleMs ?? 60_000,
  });
  /** What we know of our own address may be wrong now, and links may be dead. */
  const doubtNetwork = () => {
    own?.udp.forget();
    links.check();
  };
  const stopWatch = watchNetwork(() => {
    doubtNetwork();
    dialler.networkChanged();
  });

  function assertOpen(): void {
    if (closing.signal.aborted) throw new LatentError('CANCELLED', 'The transport was closed.');
  }

  async function connect(peer: PeerAddress, { signal }: { readonly signal: AbortSignal }): Promise<EncryptedStream> {
    assertOpen();
    return await dialler.connect(peer, AbortSignal.any([signal, closing.signal]));
  }

  function prepare({ books = [], peers = [] }: Parameters<Transport['prepare']>[0]): void {
    if (closing.signal.aborted) return;
    for (const peer of peers) dialler.prepare(peer);
    for (const book of parseHints(books.map(bookHint)).books) {
      void ownUdp().discoverBy(links.use(book), closing.signal);
    }
  }

  async function listen(onStream: (stream: EncryptedStream) => void, at: ListenOptions): Promise<Listener> {
    assertOpen();
    if (stopListening !== undefined) throw new LatentError('CONFIG_INVALID', 'This transport listens already.');
    // What was dialled from another port goes on there no longer than its paths.
    const { port, udp } =
      own !== undefined && at.port === 0 && own.address === at.address ? own : openUdp(at.address, at.port);
    const stopping = new AbortController();
    const limits = { ...defaultConnectionLimits, ...options.limits };
    const peers = new AcceptedPeers({
      times,
      maxConnections: limits.maxConnections,
      maxStreamsPerConnection: options.maxStreamsPerConnection ?? 256,
      onStream,
      onPathLost: doubtNetwork,
    });
    const stop = async () => {
      // Links last until the goodbyes have left on them.
      await peers.close();
      stopping.abort(new LatentError('CANCELLED', 'The listener was closed.'));
    };
    stopListening = stop;
    const listening = listenForPeers({
      keyPair,
      port,
      address: at.address,
      udp,
      links,
      books: options.books ?? [],
      accepted: peers,
      handshakeTimeoutMs,
      limits,
      onRefused: options.onRefused ?? (() => undefined),
      signal: stopping.signal,
    });
    return {
      ...listening,
      port: port.port,
      close: async () => {
        if (stopListening === stop) stopListening = undefined;
        await stop();
      },
    };
  }

  async function close(): Promise<void> {
    closing.abort(new LatentError('CANCELLED', 'The transport was closed.'));
    stopWatch();
    await Promise.all([stopListening?.(), dialler.close()]);
    links.close();
    await Promise.all(ports.map((port) => port.close()));
  }

  return { key: keyPair.key, prepare, connect, listen, routeTo: dialler.routeTo, payBook: links.pay, close };
}
