import { LatentError } from '@latent/protocol';
import { type ConnectionLimits, defaultConnectionLimits } from '../admission.ts';
import type { ConnectionTimes } from '../connection/connection.ts';
import { bookHint, parseHints } from '../hints.ts';
import type { KeyPair } from '../key-pair.ts';
import type { OpenLinkSocket } from '../link/link-socket.ts';
import type { RelayPayer } from '../link/relay-payer.ts';
import type { EncryptedStream, PayingTransport, RefusedConnection } from '../transport.ts';
import { acceptIntroductions } from './accept-introductions.ts';
import { AcceptedPeers } from './accepted-peers.ts';
import { createBookLinks } from './book-links.ts';
import { defaultTimes } from './default-times.ts';
import { dialPeers } from './dial-peers.ts';

export interface RelayTransportOptions {
  readonly keyPair: KeyPair;
  readonly openSocket: OpenLinkSocket;
  /** URLs of books by which others are introduced to us, once we listen. Default none. */
  readonly books?: readonly string[];
  /** For one search for a path, handshakes included. Default 10 s. */
  readonly handshakeTimeoutMs?: number;
  readonly times?: Partial<ConnectionTimes>;
  readonly idleMs?: number;
  readonly limits?: Partial<ConnectionLimits>;
  readonly maxStreamsPerConnection?: number;
  readonly onRefused?: (refusal: RefusedConnection) => void;
  /** Pays for what books relay for us beyond what is free. Missing: nobody does. */
  readonly payer?: RelayPayer | undefined;
}

export interface RelayTransport extends PayingTransport {
  /** Ends the connections to all peers that were dialled; they are told. The next stream to one makes another. Never rejects. */
  hangUp(): Promise<void>;
}

/** {@link PayingTransport} through books alone: for browsers, which have no UDP. It speaks to every peer transport. */
export function createRelayTransport(options: RelayTransportOptions): RelayTransport {
  const { keyPair, books = [], handshakeTimeoutMs = 10_000, idleMs = 60_000 } = options;
  const times = { ...defaultTimes, ...options.times };
  const closing = new AbortController();
  const links = createBookLinks({ keyPair, openSocket: options.openSocket, payer: options.payer });
  const dialler = dialPeers({ keyPair, links, udp: () => undefined, handshakeTimeoutMs, times, idleMs });
  let stopListening: (() => Promise<void>) | undefined;

  function assertOpen(): void {
    if (closing.signal.aborted) throw new LatentError('CANCELLED', 'The transport was closed.');
  }

  return {
    key: keyPair.key,
    prepare: (wanted) => {
      if (closing.signal.aborted) return;
      for (const peer of wanted.peers ?? []) dialler.prepare(peer);
      for (const book of parseHints((wanted.books ?? []).map(bookHint)).books) links.use(book);
    },
    connect: async (peer, { signal }) => {
      assertOpen();
      return await dialler.connect(peer, AbortSignal.any([signal, closing.signal]));
    },
    listen: async (onStream: (stream: EncryptedStream) => void) => {
      assertOpen();
      if (stopListening !== undefined) throw new LatentError('CONFIG_INVALID', 'This transport listens already.');
      const limits = { ...defaultConnectionLimits, ...options.limits };
      const stopping = new AbortController();
      const peers = new AcceptedPeers({
        times,
        maxConnections: limits.maxConnections,
        maxStreamsPerConnection: options.maxStreamsPerConnection ?? 256,
        onStream,
        onPathLost: () => links.check(),
      });
      const stop = async () => {
        // Links last until the goodbyes have left on them.
        await peers.close();
        stopping.abort(new LatentError('CANCELLED', 'The listener was closed.'));
      };
      stopListening = stop;
      const onRefused = options.onRefused ?? (() => undefined);
      const { signal } = stopping;
      const settled = acceptIntroductions({
        keyPair,
        links,
        books,
        udp: undefined,
        accepted: peers,
        handshakeTimeoutMs,
        limits,
        onRefused,
        signal,
      });
      return {
        hints: books.map(bookHint),
        port: 0,
        settled,
        close: async () => {
          if (stopListening === stop) stopListening = undefined;
          await stop();
        },
      };
    },
    routeTo: dialler.routeTo,
    payBook: links.pay,
    hangUp: dialler.close,
    close: async () => {
      closing.abort(new LatentError('CANCELLED', 'The transport was closed.'));
      await Promise.all([stopListening?.(), dialler.close()]);
      links.close();
    },
  };
}
