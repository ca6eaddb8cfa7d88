import { LatentError } from '@latent/protocol';
import { acceptPath } from '../connection/attach-path.ts';
import { Connection, type ConnectionTimes } from '../connection/connection.ts';
import type { MuxedStream } from '../connection/muxed-stream.ts';
import type { Attach } from '../connection/path-message.ts';
import type { Path } from '../paths/path.ts';

export interface AcceptedPeersOptions {
  readonly times: ConnectionTimes;
  readonly maxConnections: number;
  /** Streams of one peer at a time. */
  readonly maxStreamsPerConnection: number;
  readonly onStream: (stream: MuxedStream) => void;
  /** A connection lost its path, and waits for its dialler to find another. */
  readonly onPathLost: () => void;
}

/** One process of a peer needs one; restarted, it makes another while the last is still waited for. */
const MAX_CONNECTIONS_PER_KEY = 16;

/** The connections that peers have made to us. A connection is its dialler's: found by key and id together. */
export class AcceptedPeers {
  readonly #options: AcceptedPeersOptions;
  readonly #connections = new Map<string, Connection>();
  readonly #perKey = new Map<string, number>();
  #isClosed = false;

  constructor(options: AcceptedPeersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#connections.size;
  }

  /** @param settled the path has said what it is for, or is gone */
  take(path: Path, settled: () => void): void {
    if (this.#isClosed) path.destroy();
    acceptPath(path, { find: (attach) => this.#find(path, attach), onSettled: settled });
  }

  /** Settles when the peers were told, or could not be. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const connections = [...this.#connections.values()];
    for (const connection of connections) connection.end({ code: 'CANCELLED', message: 'The peer was shut down.' });
    await Promise.all(connections.map(({ closed }) => closed));
  }

  #find(path: Path, { id, isNew }: Attach): Connection {
    const known = this.#connections.get(nameOf(path, id));
    if (known !== undefined) return known;
    if (!isNew) {
      throw new LatentError(
        'STREAM_CLOSED',
        'The connection is not known here: the peer was restarted, or gave it up.',
      );
    }
    return this.#open(path, id);
  }

  #open(path: Path, id: string): Connection {
    const { remoteKey } = path;
    const ofKey = this.#perKey.get(remoteKey) ?? 0;
    if (ofKey >= MAX_CONNECTIONS_PER_KEY) this.#dropOldest(remoteKey);
    if (this.#connections.size >= this.#options.maxConnections) this.#makeRoom();
    if (this.#connections.size >= this.#options.maxConnections) {
      throw new LatentError('NOT_ALLOWED', 'The peer has as many connections as it takes.', { retry: 'later' });
    }
    const name = nameOf(path, id);
    const connection = new Connection({
      remoteKey,
      id,
      isInitiator: false,
      maxInboundStreams: this.#options.maxStreamsPerConnection,
      times: this.#options.times,
      onStream: this.#options.onStream,
      onPathLost: this.#options.onPathLost,
      onEnded: () => {
        this.#connections.delete(name);
        const left = (this.#perKey.get(remoteKey) ?? 0) - 1;
        if (left > 0) this.#perKey.set(remoteKey, left);
        else this.#perKey.delete(remoteKey);
      },
    });
    this.#connections.set(name, connection);
    this.#perKey.set(remoteKey, (this.#perKey.get(remoteKey) ?? 0) + 1);
    return connection;
  }

  /**
   * Those who are there go before those who are waited for: anybody could fill all places with connections that he leaves at once. Those
   * without streams have nothing to come back to, and go first.
   */
  #makeRoom(): void {
    const waiting = [...this.#connections.values()].filter(({ route }) => route === undefined);
    const least = waiting.find(({ streams }) => streams === 0) ?? waiting[0];
    least?.end({ code: 'NOT_ALLOWED', message: 'The place was needed for somebody who was there.' });
  }

  /** A key that opens ever new connections loses its own oldest ones, those without a path first. */
  #dropOldest(remoteKey: string): void {
    const own = [...this.#connections.values()].filter((connection) => connection.remoteKey === remoteKey);
    const oldest = own.find(({ route }) => route === undefined) ?? own[0];
    oldest?.end({ code: 'NOT_ALLOWED', message: 'The same key opened too many connections.' });
  }
}

function nameOf({ remoteKey }: Path, id: string): string {
  return `${remoteKey} ${id}`;
}
