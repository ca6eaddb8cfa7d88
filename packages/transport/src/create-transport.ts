import { parseHints } from './hints.ts';
import { createPeerTransport, type PeerTransportOptions } from './peer/peer-transport.ts';
import { createTcpTransport } from './tcp/tcp-transport.ts';
import type { PayingTransport, PeerAddress } from './transport.ts';

/**
 * {@link PayingTransport} that dials each peer as its hints say: as `createPeerTransport` does, or by TCP where a peer has nothing else. It
 * listens as `createPeerTransport` does.
 */
export function createTransport(options: PeerTransportOptions): PayingTransport {
  const { keyPair, handshakeTimeoutMs, limits, onRefused } = options;
  const peer = createPeerTransport(options);
  const tcp = createTcpTransport({
    keyPair,
    ...(handshakeTimeoutMs === undefined ? {} : { handshakeTimeoutMs }),
    ...(limits === undefined ? {} : { limits }),
    ...(onRefused === undefined ? {} : { onRefused }),
  });
  return {
    key: peer.key,
    prepare: ({ books = [], peers = [] }) => peer.prepare({ books, peers: peers.filter((one) => !isOnlyTcp(one)) }),
    connect: (address, connecting) => (isOnlyTcp(address) ? tcp : peer).connect(address, connecting),
    listen: (onStream, at) => peer.listen(onStream, at),
    routeTo: (key) => peer.routeTo(key) ?? tcp.routeTo(key),
    payBook: peer.payBook,
    close: async () => {
      await Promise.all([peer.close(), tcp.close()]);
    },
  };
}

function isOnlyTcp({ hints }: PeerAddress): boolean {
  const { udp, books } = parseHints(hints);
  return udp.length + books.length === 0 && hints.some((hint) => hint.startsWith('tcp://'));
}
