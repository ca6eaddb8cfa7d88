import { once } from 'node:events';
import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { LatentError, toLatentError } from '@latent/protocol';
import { Admission, type ConnectionLimits } from '../admission.ts';
import type { KeyPair } from '../key-pair.ts';
import type { EncryptedStream, Listener, ListenOptions } from '../transport.ts';
import { NoiseStream } from './noise-stream.ts';
import { formatHint } from './parse-hint.ts';
import { secureSocket } from './secure-socket.ts';

export interface ListenOnTcpOptions extends ListenOptions {
  readonly keyPair: KeyPair;
  readonly handshakeTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly limits: ConnectionLimits;
  readonly onRefused: (refusal: { readonly remoteAddress: string; readonly error: LatentError }) => void;
}

/**
 * Accepts connections, secures each, and hands over the streams.
 * @throws LatentError CONFIG_INVALID when the address cannot be bound
 */
export async function listenOnTcp(
  onStream: (stream: EncryptedStream) => void,
  options: ListenOnTcpOptions,
): Promise<Listener> {
  const closing = new AbortController();
  const sockets = new Set<Socket>();
  const admission = new Admission(options.limits);

  async function secure(socket: Socket, remoteAddress: string, handshakeDone: () => void) {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(options.handshakeTimeoutMs)]);
    try {
      const secured = await secureSocket(socket, { keyPair: options.keyPair, isInitiator: false, signal });
      handshakeDone();
      return secured;
    } catch (thrown) {
      options.onRefused({ remoteAddress, error: toLatentError(thrown) });
      return undefined;
    }
  }

  function onConnection(socket: Socket): void {
    const { remoteAddress } = socket;
    // A socket may break before anybody reads from it; undefined: it is gone already.
    socket.on('error', () => undefined);
    const admitted = remoteAddress === undefined ? undefined : admission.admit(remoteAddress);
    if (remoteAddress === undefined || admitted === undefined) {
      socket.destroy();
      const error = new LatentError('NOT_ALLOWED', 'Too many connections.', { retry: 'later' });
      options.onRefused({ remoteAddress: remoteAddress ?? 'unknown', error });
      return;
    }
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      admitted.release();
    });
    void secure(socket, remoteAddress, admitted.handshakeDone).then((secured) => {
      if (secured !== undefined) onStream(new NoiseStream(secured, options));
    });
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection);
  const port = await bind(server, options);
  server.on('error', (error) => options.onRefused({ remoteAddress: 'unknown', error: toLatentError(error) }));

  async function close(): Promise<void> {
    closing.abort(new LatentError('CANCELLED', 'The listener was closed.'));
    const closed = server.listening ? once(server, 'close') : undefined;
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  }

  return {
    hints: reachableHosts(options.address).map((host) => formatHint({ host, port })),
    port,
    settled: Promise.resolve(),
    close,
  };
}

async function bind(server: Server, { address, port }: ListenOptions): Promise<number> {
  server.listen({ host: address, port });
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new LatentError('CONFIG_INVALID', `Cannot listen on ${formatHint({ host: address, port })}.`, {
      hint: 'Choose an address of this machine and a port that is free, or port 0.',
      details: { address, port },
      cause,
    });
  }
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new LatentError('INTERNAL', 'The listener has no port.');
  return bound.port;
}

/** The address bound, or, for a wildcard, those of the machine's interfaces that others can reach. */
function reachableHosts(address: string): readonly string[] {
  if (address !== '0.0.0.0' && address !== '::') return [address];
  const outer = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((candidate) => !candidate.internal && !candidate.address.startsWith('fe80:'))
    .map((candidate) => candidate.address)
    .filter((candidate) => address === '::' || !isIPv6(candidate));
  return outer.length > 0 ? outer : ['127.0.0.1'];
}
