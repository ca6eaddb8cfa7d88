import { LatentError } from '@latent/protocol';
import { presentPath } from '../connection/attach-path.ts';
import { Connection, type ConnectionTimes } from '../connection/connection.ts';
import type { MuxedStream } from '../connection/muxed-stream.ts';
import { hexOfBytes } from '../hex.ts';
import { randomBytes } from '../key-pair.ts';
import type { Path } from '../paths/path.ts';
import { after, every } from '../timers.ts';
import type { PeerAddress } from '../transport.ts';
import { type Reach, reachPeer, unlessAborted } from './reach-peer.ts';

/** After a search that found nothing, the next one waits so long. */
const SEARCH_PAUSES_MS = [250, 500, 1_000, 2_000, 5_000];
/** A relayed connection looks for a direct path again after so long: NATs and networks change. */
const UPGRADE_PAUSES_MS = [5_000, 30_000, 120_000, 300_000];
const IDLE_CHECK_MS = 5_000;
const ID_BYTES = 16;

export interface DialledPeerOptions {
  readonly reach: Reach;
  readonly times: ConnectionTimes;
  /** A connection on which no stream was open for so long is given up. */
  readonly idleMs: number;
  readonly onEnded: () => void;
}

/** Our connection to one peer that we dial: finds its first path, a better one, and another when one is lost. */
export class DialledPeer {
  readonly #options: DialledPeerOptions;
  readonly #connection: Connection;
  readonly #ended = new AbortController();
  #peer: PeerAddress;
  #generation = 0;
  /** The peer has answered on some path: it knows the connection. */
  #isKnown = false;
  #search: { readonly stop: () => void } | undefined;
  #stopPause = () => {};
  readonly #stopIdleCheck: () => void;
  #failedSearches = 0;
  #upgrades = 0;
  #routed = Promise.withResolvers<void>();

  constructor(peer: PeerAddress, options: DialledPeerOptions) {
    this.#peer = peer;
    this.#options = options;
    this.#connection = new Connection({
      remoteKey: peer.key,
      id: hexOfBytes(randomBytes(ID_BYTES)),
      isInitiator: true,
      // Nobody opens streams to a dialler.
      maxInboundStreams: 0,
      times: options.times,
      onStream: (stream) => stream.destroy(),
      onPathLost: () => {
        options.reach.links.check();
        this.#startSearch();
      },
      onEnded: (error) => this.#end(error),
    });
    this.#routed.promise.catch(() => undefined);
    this.#stopIdleCheck = every(IDLE_CHECK_MS, () => {
      if (this.#connection.unusedMs > options.idleMs) this.close('It was not used any more.');
    });
    this.#startSearch();
  }

  /**
   * A stream to the peer, as soon as there is a path.
   * @param hints the newest word on where the peer is
   * @throws LatentError PEER_UNREACHABLE, PEER_WRONG_KEY (nothing led to the peer), STREAM_CLOSED; the signal's reason
   */
  async openStream(hints: readonly string[], signal: AbortSignal): Promise<MuxedStream> {
    this.#peer = { key: this.#peer.key, hints };
    await unlessAborted(this.#routed.promise, signal);
    return await this.#connection.openStream();
  }

  get isOver(): boolean {
    return this.#connection.failure !== undefined;
  }

  /** The network may have changed beneath us: look whether the path still is what it was. */
  networkChanged(): void {
    this.#connection.checkPath();
    this.#upgrades = 0;
    if (this.#connection.route?.kind === 'relayed') this.#startSearch();
  }

  close(message: string): void {
    this.#connection.end({ code: 'CANCELLED', message });
  }

  #startSearch(): void {
    if (this.isOver || this.#search !== undefined) return;
    this.#stopPause();
    const stopping = new AbortController();
    this.#search = { stop: () => stopping.abort() };
    const wantsRelay = this.#connection.route === undefined;
    if (wantsRelay && this.#connection.generation > 0) this.#expectRoute();
    const signal = AbortSignal.any([stopping.signal, this.#ended.signal]);
    void reachPeer(this.#options.reach, {
      peer: this.#peer,
      wantsRelay,
      onPath: (path) => this.#offer(path),
      signal,
    }).then((errors) => {
      this.#search = undefined;
      this.#afterSearch(errors);
    });
  }

  /** A connection that never had a path fails with its first search: whoever waits for it wants to know. */
  #afterSearch(errors: readonly LatentError[]): void {
    if (this.isOver) return;
    const { route, generation } = this.#connection;
    if (route?.kind === 'direct') return;
    if (route !== undefined) {
      const pauseMs = UPGRADE_PAUSES_MS[Math.min(this.#upgrades, UPGRADE_PAUSES_MS.length - 1)] ?? 0;
      this.#upgrades += 1;
      this.#pause(pauseMs);
      return;
    }
    const error = toReachError(this.#peer, errors);
    if (generation === 0) return this.#connection.fail(error);
    this.#routed.reject(error);
    this.#expectRoute();
    this.#pause(SEARCH_PAUSES_MS[Math.min(this.#failedSearches, SEARCH_PAUSES_MS.length - 1)] ?? 0);
    this.#failedSearches += 1;
  }

  #pause(pauseMs: number): void {
    this.#stopPause = after(pauseMs, () => this.#startSearch());
  }

  #offer(path: Path): void {
    const { route } = this.#connection;
    const isBetter = route === undefined || (route.kind === 'relayed' && path.route.kind === 'direct');
    if (this.isOver || !isBetter) {
      // The peer would wait for word which connection this is for.
      path.destroy();
      return;
    }
    this.#generation += 1;
    const { attached } = presentPath(this.#connection, path, {
      generation: this.#generation,
      isNew: !this.#isKnown,
      timeoutMs: this.#options.times.pathTimeoutMs,
    });
    if (this.#connection.route !== undefined) this.#routed.resolve();
    void attached.then((isAttached) => {
      if (!isAttached) return;
      this.#isKnown = true;
      this.#failedSearches = 0;
      this.#routed.resolve();
      if (path.route.kind === 'direct') this.#search?.stop();
    });
  }

  /** From now on callers wait for the next path. */
  #expectRoute(): void {
    this.#routed = Promise.withResolvers();
    this.#routed.promise.catch(() => undefined);
  }

  #end(error: LatentError): void {
    this.#ended.abort();
    this.#stopPause();
    this.#stopIdleCheck();
    this.#routed.reject(error);
    this.#options.onEnded();
  }
}

function toReachError(peer: PeerAddress, errors: readonly LatentError[]): LatentError {
  const wrongKey = errors.find(({ code }) => code === 'PEER_WRONG_KEY');
  if (wrongKey !== undefined) return wrongKey;
  const tried = errors.map(({ message }) => message.slice(0, 300));
  return new LatentError('PEER_UNREACHABLE', `No way to the peer: ${tried.join('; ') || 'nothing answered in time'}`, {
    hint: 'Check that the peer runs; `latent doctor` says what this network lets through.',
    details: { peer: peer.key, tried },
    cause: errors[0],
  });
}
