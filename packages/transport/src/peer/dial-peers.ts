import { LatentError, type PeerKey } from '@latent/protocol';
import { toAbortError } from '../abort.ts';
import type { ConnectionTimes } from '../connection/connection.ts';
import type { KeyPair } from '../key-pair.ts';
import type { EncryptedStream, PeerAddress, Transport } from '../transport.ts';
import type { BookLinks } from './book-links.ts';
import { DialledPeer } from './dialled-peer.ts';
import type { UdpSide } from './reach-peer.ts';

export interface DialPeersOptions {
  readonly keyPair: KeyPair;
  readonly links: BookLinks;
  /** Asked for when the first peer is dialled; undefined where there is no UDP. */
  readonly udp: () => UdpSide | undefined;
  readonly handshakeTimeoutMs: number;
  readonly times: ConnectionTimes;
  readonly idleMs: number;
}

/** One connection to each peer that is dialled, made when the first stream is wanted. */
export interface PeerDialler {
  /** Looks for the peer already. Never throws. */
  prepare(peer: PeerAddress): void;
  /** @throws LatentError PEER_UNREACHABLE, PEER_WRONG_KEY, CANCELLED, TIMED_OUT (the signal's) */
  connect(peer: PeerAddress, signal: AbortSignal): Promise<EncryptedStream>;
  routeTo: Transport['routeTo'];
  networkChanged(): void;
  /** Settles when the peers were told, or could not be. Never rejects. */
  close(): Promise<void>;
}

export function dialPeers(options: DialPeersOptions): PeerDialler {
  const { keyPair, links, handshakeTimeoutMs, times, idleMs } = options;
  const peers = new Map<PeerKey, DialledPeer>();

  function find(peer: PeerAddress): DialledPeer {
    const known = peers.get(peer.key);
    if (known !== undefined && !known.isOver) return known;
    const dialled = new DialledPeer(peer, {
      reach: { keyPair, links, udp: options.udp(), handshakeTimeoutMs },
      times,
      idleMs,
      onEnded: () => {
        if (peers.get(peer.key) === dialled) peers.delete(peer.key);
      },
    });
    peers.set(peer.key, dialled);
    return dialled;
  }

  async function openStream(peer: PeerAddress, signal: AbortSignal): Promise<EncryptedStream> {
    const dialled = find(peer);
    try {
      return await dialled.openStream(peer.hints, signal);
    } catch (thrown) {
      const isGivenUp = dialled.isOver && thrown instanceof LatentError && thrown.code === 'STREAM_CLOSED';
      if (!isGivenUp || signal.aborted) throw thrown;
      // The peer does not know the connection any more, as after a restart. It may want another one.
      return await find(peer).openStream(peer.hints, signal);
    }
  }

  return {
    prepare: (peer) => {
      try {
        find(peer);
      } catch {
        // Who connects tries it again, and is told.
      }
    },
    connect: async (peer, signal) => {
      if (signal.aborted) throw toAbortError(signal, 'Connecting to the peer');
      try {
        return await openStream(peer, signal);
      } catch (thrown) {
        if (signal.aborted) throw toAbortError(signal, 'Connecting to the peer');
        if (thrown instanceof LatentError) throw thrown;
        throw new LatentError('STREAM_CLOSED', 'The connection to the peer ended before the stream.', {
          cause: thrown,
        });
      }
    },
    routeTo: (key) => peers.get(key)?.route,
    networkChanged: () => {
      for (const peer of peers.values()) peer.networkChanged();
    },
    close: async () => {
      await Promise.all([...peers.values()].map((peer) => peer.close('The transport was closed.')));
    },
  };
}
