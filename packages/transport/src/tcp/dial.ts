import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { LatentError } from '@latent/protocol';
import { toAbortError } from '../abort.ts';
import type { KeyPair } from '../key-pair.ts';
import type { PeerAddress } from '../transport.ts';
import { type Endpoint, formatHint, parseHint } from './parse-hint.ts';
import { type SecuredSocket, secureSocket } from './secure-socket.ts';

/** Hints beyond these are not tried: an ask of a stranger must not make us knock on a thousand doors. */
const MAX_HINTS = 8;
/** A hint gets this head start on the next one; the delay of RFC 8305. */
const STAGGER_MS = 250;

export interface DialOptions {
  readonly keyPair: KeyPair;
  /** For each hint: TCP connection and handshake together. */
  readonly handshakeTimeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Tries the hints of a peer, each a little after the one before or as soon as that failed; the first to prove the key wins.
 * @throws LatentError PEER_UNREACHABLE, PEER_WRONG_KEY, CANCELLED, TIMED_OUT (the signal's)
 */
export async function dialPeer(peer: PeerAddress, options: DialOptions): Promise<SecuredSocket> {
  if (options.signal.aborted) throw toAbortError(options.signal, 'Connecting to the peer');
  const endpoints = peer.hints.slice(0, MAX_HINTS).flatMap((hint) => parseHint(hint) ?? []);
  if (endpoints.length === 0) {
    throw new LatentError('PEER_UNREACHABLE', 'No hint tells where the peer can be dialled.', {
      hint: 'A hint looks like tcp://host:port.',
      details: { peer: peer.key, hints: peer.hints.length },
    });
  }
  const race = new AbortController();
  const signal = AbortSignal.any([options.signal, race.signal]);
  const attempts: Promise<SecuredSocket>[] = [];
  for (const endpoint of endpoints) {
    const previous = attempts.at(-1);
    attempts.push(attempt(previous, () => dialEndpoint(endpoint, peer, { ...options, signal }), signal));
  }
  try {
    const winner = await Promise.any(attempts);
    dropLosers(attempts, winner);
    return winner;
  } catch (thrown) {
    if (options.signal.aborted) throw toAbortError(options.signal, 'Connecting to the peer');
    throw toDialError(peer, endpoints, thrown);
  } finally {
    race.abort();
  }
}

async function attempt(
  previous: Promise<SecuredSocket> | undefined,
  dial: () => Promise<SecuredSocket>,
  signal: AbortSignal,
): Promise<SecuredSocket> {
  if (previous !== undefined) await headStart(previous, signal);
  if (signal.aborted) throw toAbortError(signal, 'Dialling a hint');
  return await dial();
}

/** Resolves when the attempt before failed or had its time. */
function headStart(previous: Promise<SecuredSocket>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, STAGGER_MS);
    signal.addEventListener('abort', done);
    previous.catch(done);
  });
}

/** A hint that succeeds after another has won was already on its last step when the race was called off. */
function dropLosers(attempts: readonly Promise<SecuredSocket>[], winner: SecuredSocket): void {
  for (const loser of attempts) {
    loser.then(
      (secured) => {
        if (secured !== winner) secured.noise.destroy();
      },
      () => undefined,
    );
  }
}

async function dialEndpoint(endpoint: Endpoint, peer: PeerAddress, options: DialOptions): Promise<SecuredSocket> {
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.handshakeTimeoutMs)]);
  const socket = connect({ ...endpoint, allowHalfOpen: true, noDelay: true });
  await connected(socket, signal);
  const secured = await secureSocket(socket, { keyPair: options.keyPair, isInitiator: true, signal });
  if (secured.remoteKey === peer.key) return secured;
  secured.noise.destroy();
  throw new LatentError('PEER_WRONG_KEY', `${formatHint(endpoint)} proved another key than the peer's.`, {
    details: { expected: peer.key, actual: secured.remoteKey },
  });
}

async function connected(socket: Socket, signal: AbortSignal): Promise<void> {
  try {
    await once(socket, 'connect', { signal });
  } catch (thrown) {
    // An aborted dial fails once more when the socket goes; nobody is left to hear it.
    socket.on('error', () => undefined);
    socket.destroy();
    if (signal.aborted) throw toAbortError(signal, 'The TCP connection');
    throw thrown;
  }
}

function toDialError(peer: PeerAddress, endpoints: readonly Endpoint[], thrown: unknown): LatentError {
  const causes: unknown[] = thrown instanceof AggregateError ? thrown.errors : [thrown];
  const wrongKey = causes.find((cause) => cause instanceof LatentError && cause.code === 'PEER_WRONG_KEY');
  if (wrongKey instanceof LatentError) return wrongKey;
  const tried = endpoints.map((endpoint, index) => `${formatHint(endpoint)}: ${describe(causes[index])}`);
  return new LatentError('PEER_UNREACHABLE', `No stream to the peer: ${tried.join('; ')}`, {
    hint: 'Check that the peer runs and that its address can be reached from here.',
    details: { peer: peer.key, tried },
    cause: thrown,
  });
}

function describe(cause: unknown): string {
  if (cause instanceof LatentError) return cause.message;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return 'failed';
}
