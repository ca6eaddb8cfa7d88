import { parseHints } from './hints.ts';
import { createPeerTransport, type PeerTransportOptions } from './peer/peer-transport.ts';
import { createTcpTransport } from './tcp/tcp-transport.ts';
import type { Transport } from './transport.ts';

/**
 * {@link Transport} that dials each peer as its hints say: as `createPeerTransport` does, or by TCP where a peer has nothing else. It
 * listens as `createPeerTransport` does.
 */
export function createTransport(options: PeerTransportOptions): Transport {
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
    connect: (address, connecting) => {
      const { udp, books } = parseHints(address.hints);
      const hasOthers = udp.length + books.length > 0;
      const isTcp = !hasOthers && address.hints.some((hint) => hint.startsWith('tcp://'));
      return (isTcp ? tcp : peer).connect(address, connecting);
    },
    listen: (onStream, at) => peer.listen(onStream, at),
    routeTo: (key) => peer.routeTo(key) ?? tcp.routeTo(key),
    close: async () => {
      await Promise.all([peer.close(), tcp.close()]);
    },
  };
}
