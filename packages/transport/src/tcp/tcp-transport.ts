import { LatentError } from '@latent/protocol';
import { type ConnectionLimits, defaultConnectionLimits } from '../admission.ts';
import type { KeyPair } from '../key-pair.ts';
import type {
  EncryptedStream,
  Listener,
  ListenOptions,
  PeerAddress,
  RefusedConnection,
  Transport,
} from '../transport.ts';
import { dialPeer } from './dial.ts';
import { listenOnTcp } from './listen.ts';
import { NoiseStream } from './noise-stream.ts';

export interface TcpTransportOptions {
  readonly keyPair: KeyPair;
  /** For TCP connection and handshake, on either side. Default 10 s. */
  readonly handshakeTimeoutMs?: number;
  /** A peer that sends nothing, not even heartbeats, for so long is dead. Both sides should agree. Default 30 s. */
  readonly idleTimeoutMs?: number;
  /** Of each listener. */
  readonly limits?: Partial<ConnectionLimits>;
  /**
   * Hears of connections that were not let in: over a limit, failed handshakes, and trouble
   * of the listening socket. Anybody on the network can cause these at will: do not log each at a loud level.
   */
  readonly onRefused?: (refusal: RefusedConnection) => void;
}

/** {@link Transport} over TCP: one connection for each stream, Noise XX to the peer's ed25519 key, no multiplexing. */
export function createTcpTransport(options: TcpTransportOptions): Transport {
  const { keyPair, handshakeTimeoutMs = 10_000, idleTimeoutMs = 30_000 } = options;
  const limits = { ...defaultConnectionLimits, ...options.limits };
  const listeners = new Set<Listener>();
  const dialled = new Set<EncryptedStream>();
  const closing = new AbortController();

  function assertOpen(): void {
    if (closing.signal.aborted) throw new LatentError('CANCELLED', 'The transport was closed.');
  }

  async function connect(peer: PeerAddress, { signal }: { readonly signal: AbortSignal }): Promise<EncryptedStream> {
    assertOpen();
    const either = AbortSignal.any([signal, closing.signal]);
    const secured = await dialPeer(peer, { keyPair, handshakeTimeoutMs, signal: either });
    const stream = new NoiseStream(secured, { idleTimeoutMs });
    dialled.add(stream);
    void stream.closed.then(() => dialled.delete(stream));
    return stream;
  }

  async function listen(onStream: (stream: EncryptedStream) => void, at: ListenOptions): Promise<Listener> {
    assertOpen();
    const onRefused = options.onRefused ?? (() => undefined);
    const opened = await listenOnTcp(onStream, {
      ...at,
      keyPair,
      handshakeTimeoutMs,
      idleTimeoutMs,
      limits,
      onRefused,
    });
    const listener: Listener = {
      hints: opened.hints,
      port: opened.port,
      settled: opened.settled,
      close: async () => {
        listeners.delete(listener);
        await opened.close();
      },
    };
    listeners.add(listener);
    return listener;
  }

  async function close(): Promise<void> {
    closing.abort(new LatentError('CANCELLED', 'The transport was closed.'));
    const streams = [...dialled];
    for (const stream of streams) stream.destroy();
    await Promise.all([
      ...[...listeners].map((listener) => listener.close()),
      ...streams.map((stream) => stream.closed),
    ]);
  }

  /** The newest stream's: each has a connection of its own. */
  const routeTo: Transport['routeTo'] = (key) => [...dialled].findLast(({ remoteKey }) => remoteKey === key)?.route;

  // Each stream has a connection of its own, which nobody else could use.
  const prepare = () => undefined;

  return { key: keyPair.key, prepare, connect, listen, routeTo, close };
}
