import { LatentError } from '@latent/protocol';
import { presentPath } from '../connection/attach-path.ts';
import { Connection, type ConnectionTimes } from '../connection/connection.ts';
import type { MuxedStream } from '../connection/muxed-stream.ts';
import { hexOfBytes } from '../hex.ts';
import { randomBytes } from '../key-pair.ts';
import type { Path, Route } from '../paths/path.ts';
import { after, every } from '../timers.ts';
import type { PeerAddress } from '../transport.ts';
import { type Reach, reachPeer, unlessAborted } from './reach-peer.ts';

/** After a search that found nothing, the next one waits so long. */
const SEARCH_PAUSES_MS = [250, 500, 1_000, 2_000, 5_000];
/** A relayed connection looks for a direct path again after so long: NATs and networks change. */
const UPGRADE_PAUSES_MS = [2_000, 5_000, 15_000, 60_000, 300_000];
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
  #searchedMs = Number.NEGATIVE_INFINITY;
  #stopPause = () => {};
  readonly #stopIdleCheck: () => void;
  #failedSearches = 0;
  #upgrades = 0;
  /** What callers wait for: a path. It settles once; then there is a new one, when the path was lost. */
  #routed = Promise.withResolvers<void>();
  #isRouted = false;
  /** Direct paths on which the peer's answer is awaited. */
  #directPaths = 0;

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
        options.reach.udp?.forget();
        this.#searchAgain();
      },
      onEnded: (error) => this.#end(error),
    });
    this.#routed.promise.catch(() => undefined);
    this.#stopIdleCheck = every(IDLE_CHECK_MS, () => {
      if (this.#connection.unusedMs > options.idleMs) void this.close('It was not used any more.');
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

  /** How the peer is reached now. */
  get route(): (Route & { readonly roundTripMs?: number }) | undefined {
    const { route, roundTripMs } = this.#connection;
    return route === undefined || roundTripMs === undefined ? route : { ...route, roundTripMs };
  }

  get isOver(): boolean {
    return this.#connection.failure !== undefined;
  }

  /** The network may have changed beneath us: look whether the path still is what it was. */
  networkChanged(): void {
    this.#connection.checkPath();
    this.#upgrades = 0;
    this.#failedSearches = 0;
    if (this.#connection.route?.kind !== 'direct') this.#searchAgain();
  }

  /** Settles when the peer was told, or could not be. Never rejects. */
  async close(message: string): Promise<void> {
    this.#connection.end({ code: 'CANCELLED', message });
    await this.#connection.closed;
  }

  /**
   * A search that runs may be done with the ways that have just failed: it begins anew. Not too often, as the peer may let us in and drop
   * us each time.
   */
  #searchAgain(): void {
    this.#search?.stop();
    this.#search = undefined;
    if (this.isOver) return;
    if (this.#connection.route === undefined) this.#expectRoute();
    const [shortestMs = 0] = SEARCH_PAUSES_MS;
    const sinceMs = performance.now() - this.#searchedMs;
    if (sinceMs < shortestMs) this.#pause(shortestMs - sinceMs);
    else this.#startSearch();
  }

  #startSearch(): void {
    if (this.isOver || this.#search !== undefined) return;
    this.#stopPause();
    this.#searchedMs = performance.now();
    const stopping = new AbortController();
    const search = { stop: () => stopping.abort() };
    this.#search = search;
    const found: Promise<boolean>[] = [];
    void reachPeer(this.#options.reach, {
      peer: this.#peer,
      wantsRelay: this.#connection.route === undefined,
      onPath: (path) => found.push(this.#offer(path)),
      signal: AbortSignal.any([stopping.signal, this.#ended.signal]),
    }).then(async (errors) => {
      // A path that was found is one only when the peer has answered on it.
      await Promise.all(found);
      // Another one has begun.
      if (this.#search !== search) return;
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
      // Without UDP there is no better one.
      if (this.#options.reach.udp === undefined) return;
      const pauseMs = UPGRADE_PAUSES_MS[Math.min(this.#upgrades, UPGRADE_PAUSES_MS.length - 1)] ?? 0;
      this.#upgrades += 1;
      this.#pause(pauseMs);
      return;
    }
    const error = toReachError(this.#peer, errors);
    if (generation === 0) {
      this.#connection.fail(error);
      return;
    }
    this.#routed.reject(error);
    this.#renewRouted();
    this.#pause(SEARCH_PAUSES_MS[Math.min(this.#failedSearches, SEARCH_PAUSES_MS.length - 1)] ?? 0);
    this.#failedSearches += 1;
  }

  #pause(pauseMs: number): void {
    this.#stopPause();
    this.#stopPause = after(pauseMs, () => this.#startSearch());
  }

  /** @returns whether the connection uses the path now, once the peer has answered on it. Never rejects */
  async #offer(path: Path): Promise<boolean> {
    const { route } = this.#connection;
    const isDirect = path.route.kind === 'direct';
    const isBetter = isDirect ? route?.kind !== 'direct' : route === undefined && this.#directPaths === 0;
    if (this.isOver || !isBetter) {
      // The peer would wait for word which connection this is for.
      path.destroy();
      return false;
    }
    this.#generation += 1;
    if (isDirect) this.#directPaths += 1;
    const { attached } = presentPath(this.#connection, path, {
      generation: this.#generation,
      isNew: !this.#isKnown,
      timeoutMs: this.#options.times.pathTimeoutMs,
    });
    if (this.#connection.route !== undefined) this.#hasRoute();
    const isAttached = await attached;
    if (isDirect) this.#directPaths -= 1;
    if (!isAttached) return false;
    this.#isKnown = true;
    this.#failedSearches = 0;
    this.#hasRoute();
    if (isDirect) this.#search?.stop();
    return true;
  }

  #hasRoute(): void {
    this.#isRouted = true;
    this.#routed.resolve();
  }

  /** From now on callers wait for the next path. Those who wait already go on to. */
  #expectRoute(): void {
    if (this.#isRouted) this.#renewRouted();
  }

  #renewRouted(): void {
    this.#isRouted = false;
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
